// The cipher itself, without bindings or environment.

#ifndef CIPHER_H
#define CIPHER_H

#include <stdbool.h>
#include <stddef.h>

// Mirrors the alphabet in place: A becomes Z, B becomes Y, and so on; with `digits`, 0 also becomes 9. Everything
// else stays, including the bytes of characters outside ASCII.
void cipher_encrypt(char *text, size_t length, bool digits);

// Undoes `cipher_encrypt`, which is its own inverse.
void cipher_decrypt(char *text, size_t length, bool digits);

#endif
