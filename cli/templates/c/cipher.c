#include "cipher.h"

static char mirror(char c, bool digits) {
    if (c >= 'a' && c <= 'z') return (char)('a' + 'z' - c);
    if (c >= 'A' && c <= 'Z') return (char)('A' + 'Z' - c);
    if (digits && c >= '0' && c <= '9') return (char)('0' + '9' - c);
    return c;
}

void cipher_encrypt(char *text, size_t length, bool digits) {
    for (size_t i = 0; i < length; i++) text[i] = mirror(text[i], digits);
}

void cipher_decrypt(char *text, size_t length, bool digits) {
    cipher_encrypt(text, length, digits);
}
