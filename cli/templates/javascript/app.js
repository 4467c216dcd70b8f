// The bindings of the cipher in cipher.js: `encr` and `decr` of the contract (wit/deps/cipher.wit).

import { auditrecord } from 'saritnike:cipher/audit-log@0.1.0';
import { getEnvironment } from 'wasi:cli/environment@0.2.0';
import { exit } from 'wasi:cli/exit@0.2.0';

import { decrypt, encrypt } from './cipher.js';

const VARIABLE = 'ATBASH_DIGITS';

export function encr(input) {
  const output = encrypt(input, digits());
  auditrecord('encrypt', length(input));
  return output;
}

export function decr(input) {
  const output = decrypt(input, digits());
  auditrecord('decrypt', length(input));
  return output;
}

// Reads the setting. This must happen inside a call: the component is a snapshot of the engine after the imports.
function digits() {
  // The manifest has the same default; this one is for hosts without manifests.
  const value = new Map(getEnvironment()).get(VARIABLE) ?? 'no';
  if (value !== 'yes' && value !== 'no') {
    fail(`${VARIABLE} must be yes or no`);
  }
  return value === 'yes';
}

// The detail of the audit event: the number of Unicode characters. (`length` would count UTF-16 units.)
function length(text) {
  let characters = 0;
  for (const _ of text) characters += 1;
  return `Length: ${characters}`;
}

// Fails the call: one line on stderr, then exit. An exception would trap, too, but the engine would print its own
// message first. The reason never repeats a value, which could be a secret.
function fail(reason) {
  console.error(reason);
  exit({ tag: 'err' });
}
