// The cipher itself, without bindings or environment.

// Mirrors the alphabet: A becomes Z, B becomes Y, and so on; with `digits`, 0 also becomes 9. Everything else stays.
export function encrypt(text, digits) {
  const mirrored = text.replace(/[a-z]/g, mirror('a', 'z')).replace(/[A-Z]/g, mirror('A', 'Z'));
  return digits ? mirrored.replace(/[0-9]/g, mirror('0', '9')) : mirrored;
}

// Undoes `encrypt`, which is its own inverse.
export function decrypt(text, digits) {
  return encrypt(text, digits);
}

function mirror(first, last) {
  const sum = first.charCodeAt(0) + last.charCodeAt(0);
  return (character) => String.fromCharCode(sum - character.charCodeAt(0));
}
