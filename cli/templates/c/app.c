// The bindings: `encr` and `decr` of the contract (wit/cipher.wit), around the cipher in cipher.c.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cipher.h"
#include "encoder_decoder_service.h" // made by wit-bindgen from the contract

#define VARIABLE "ATBASH_DIGITS"

typedef encoder_decoder_service_string_t string;

// Ends the call as the contract says a failure must: one line on standard error, then a trap.
static _Noreturn void fail_setting(const char *value) {
    fprintf(stderr, VARIABLE " must be yes or no, not \"%s\"\n", value);
    abort();
}

// Reads the setting. Its default is in the manifest, too; this one is for a host without.
static bool digits(void) {
    const char *value = getenv(VARIABLE);
    if (value == NULL || strcmp(value, "no") == 0) return false;
    if (strcmp(value, "yes") == 0) return true;
    fail_setting(value);
}

// Writes the one audit entry of a call: how many Unicode characters there were.
static void record(const char *action, const string *text) {
    size_t characters = 0;
    for (size_t i = 0; i < text->len; i++) {
        characters += (text->ptr[i] & 0xC0) != 0x80; // every byte of UTF-8 but those that continue a character
    }
    char line[64];
    snprintf(line, sizeof line, "Length: %zu", characters);
    string action_text, detail;
    encoder_decoder_service_string_set(&action_text, action);
    encoder_decoder_service_string_set(&detail, line);
    saritnike_cipher_audit_log_auditrecord(&action_text, &detail);
}

// The memory of `input` is ours now, and that of `output` is freed for us: the text is changed in place.

void exports_encoder_decoder_service_encr(string *input, string *output) {
    cipher_encrypt((char *)input->ptr, input->len, digits());
    record("encrypt", input);
    *output = *input;
}

void exports_encoder_decoder_service_decr(string *input, string *output) {
    cipher_decrypt((char *)input->ptr, input->len, digits());
    record("decrypt", input);
    *output = *input;
}
