import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decrypt, encrypt } from './cipher.js';

test('known answers', () => {
  for (const [plaintext, ciphertext, digits] of [
    ['Hello, World!', 'Svool, Dliow!', false],
    ['naïve 🦀 2 go', 'mzïev 🦀 7 tl', true],
    ['azAZ09', 'zaZA09', false],
    ['azAZ09', 'zaZA90', true],
    ['', '', true],
  ]) {
    assert.equal(encrypt(plaintext, digits), ciphertext);
    assert.equal(decrypt(ciphertext, digits), plaintext);
  }
});
