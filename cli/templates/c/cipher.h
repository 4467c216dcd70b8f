// The cipher on its own: no bindings, no environment.

#ifndef CIPHER_H
#define CIPHER_H

#include <stdbool.h>
#include <stddef.h>

// Mirrors the alphabet in place: A becomes Z, B becomes Y, and so on; with `digits`, 0 becomes 9 as well. Everything
// else stays, also the bytes of a character outside ASCII.
void cipher_encrypt(char *text, size_t length, bool digits);

// Undoes `cipher_encrypt`; a mirror undoes itself.
void cipher_decrypt(char *text, size_t length, bool digits);

#endif
