#include "cipher.h"

#include <stdio.h>
#include <string.h>

static int failures = 0;

static void expect(const char *what, const char *actual, const char *expected) {
    if (strcmp(actual, expected) == 0) return;
    fprintf(stderr, "%s: '%s', expected '%s'\n", what, actual, expected);
    failures++;
}

static void known_answer(const char *plaintext, const char *ciphertext, bool digits) {
    char text[64];
    snprintf(text, sizeof text, "%s", plaintext);
    cipher_encrypt(text, strlen(text), digits);
    expect("encrypt", text, ciphertext);
    cipher_decrypt(text, strlen(text), digits);
    expect("decrypt", text, plaintext);
}

int main(void) {
    known_answer("Hello, World!", "Svool, Dliow!", false);
    known_answer("naïve 🦀 2 go", "mzïev 🦀 7 tl", true);
    known_answer("azAZ09", "zaZA09", false);
    known_answer("azAZ09", "zaZA90", true);
    known_answer("", "", true);
    return failures != 0;
}
