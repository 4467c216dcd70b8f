"""The cipher itself, without bindings or environment.

A message is encrypted and then authenticated (encrypt-then-MAC), with only the standard library: the key
stream is the HMAC-SHA-256 of nonce and block number, and the tag is the HMAC-SHA-256 of nonce and ciphertext.
The result is nonce, ciphertext, and tag in base64, on one line.

Limits: both halves are textbook constructions, but nobody has reviewed this composition. Python neither runs
in constant time nor erases keys from memory, and it is slow. For real secrets, prefer a reviewed cipher:
'cipher new --kind authenticated --language rust' starts from XChaCha20-Poly1305.
"""

import base64
import binascii
import hashlib
import hmac
import os

_NONCE_BYTES = 24
_KEY_BYTES = 32
_TAG_BYTES = hashlib.sha256().digest_size


class KeyFormatError(ValueError):
    """A key that is not 32 bytes in base64."""


class AlteredMessageError(ValueError):
    """A message that `encrypt` did not return under this key."""


def parse_key(text: str) -> bytes:
    """Decode the key from base64."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise KeyFormatError
    return key


def encrypt(text: str, key: bytes) -> str:
    """Encrypt `text` under a fresh random nonce."""
    # Drawn inside the call: a value drawn at import would be the same in every call.
    nonce = os.urandom(_NONCE_BYTES)
    ciphertext = _apply_key_stream(text.encode(), key, nonce)
    return base64.b64encode(nonce + ciphertext + _tag(nonce + ciphertext, key)).decode()


def decrypt(text: str, key: bytes) -> str:
    """Decrypt what `encrypt` returned, or raise `AlteredMessageError`."""
    try:
        message = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise AlteredMessageError from None
    # Some bytes have several spellings in base64. Only the one that `encrypt` returns is accepted.
    if len(message) < _NONCE_BYTES + _TAG_BYTES or base64.b64encode(message).decode() != text:
        raise AlteredMessageError
    body, tag = message[:-_TAG_BYTES], message[-_TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(body, key)):
        raise AlteredMessageError
    return _apply_key_stream(body[_NONCE_BYTES:], key, body[:_NONCE_BYTES]).decode()


def _apply_key_stream(data: bytes, key: bytes, nonce: bytes) -> bytes:
    """XOR `data` with the key stream, which encrypts and decrypts."""
    subkey = hmac.digest(key, b"encryption", "sha256")
    blocks = -(-len(data) // _TAG_BYTES)
    stream = b"".join(
        hmac.digest(subkey, nonce + block.to_bytes(8, "big"), "sha256") for block in range(blocks)
    )
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream[: len(data)], "big")
    return mixed.to_bytes(len(data), "big")


def _tag(data: bytes, key: bytes) -> bytes:
    return hmac.digest(hmac.digest(key, b"authentication", "sha256"), data, "sha256")
