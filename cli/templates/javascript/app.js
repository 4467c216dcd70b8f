// The bindings: `encr` and `decr` of the contract (wit/deps/cipher.wit), around the cipher in cipher.js.

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

// Reads the setting. Only a call may do this: the component is a snapshot of the engine after the imports.
function digits() {
  // The default is in the manifest, too; this one is for a host without.
  const value = new Map(getEnvironment()).get(VARIABLE) ?? 'no';
  if (value !== 'yes' && value !== 'no') {
    fail(`${VARIABLE} must be yes or no, not ${JSON.stringify(value)}`);
  }
  return value === 'yes';
}

// What the audit entry of a call says: how many Unicode characters there were. (`length` counts UTF-16 units.)
function length(text) {
  let characters = 0;
  for (const _ of text) characters += 1;
  return `Length: ${characters}`;
}

// Ends the call: one line on standard error, then the end of the component. An exception would trap, too, but only
// after words of the engine's own.
function fail(reason) {
  console.error(reason);
  exit({ tag: 'err' });
}
