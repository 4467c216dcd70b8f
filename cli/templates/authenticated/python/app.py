"""The bindings: `encr` and `decr` of the contract (wit/cipher.wit), around the cipher in cipher.py."""

import os
import sys
from typing import NoReturn

import wit_world
from wit_world.imports.audit_log import auditrecord

import cipher

_VARIABLE = "ATBASH_KEY"


class WitWorld(wit_world.WitWorld):
    """The world `encoder-decoder-service`."""

    def encr(self, input: str) -> str:
        """Encrypt `input`."""
        output = cipher.encrypt(input, _key())
        auditrecord("encrypt", f"Length: {len(input)}")
        return output

    def decr(self, input: str) -> str:
        """Decrypt `input`."""
        try:
            output = cipher.decrypt(input, _key())
        except cipher.AlteredMessageError:
            _fail("the message was altered, or encrypted under another key")
        auditrecord("decrypt", f"Length: {len(input)}")
        return output


def _key() -> bytes:
    """Read the key.

    Only a call may do this: the component is a snapshot of the interpreter after its imports.
    """
    value = os.environ.get(_VARIABLE)
    if value is None:
        _fail(f"{_VARIABLE} is not set")
    try:
        return cipher.parse_key(value)
    except cipher.KeyFormatError:
        _fail(f"{_VARIABLE} must be 32 bytes in base64, as 'openssl rand -base64 32' prints them")


def _fail(reason: str) -> NoReturn:
    """Fail the call as the contract requires: one line on stderr, then a trap.

    A reason that concerns a setting starts with its name, and never contains a secret. An exception would
    print a traceback, and `sys.exit` does not trap.
    """
    print(reason, file=sys.stderr, flush=True)
    os.abort()
