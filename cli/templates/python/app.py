"""The bindings of the cipher in cipher.py: `encr` and `decr` of the contract (wit/cipher.wit)."""

import os
import sys
from typing import NoReturn

import wit_world
from wit_world.imports.audit_log import auditrecord

import cipher

_VARIABLE = "ATBASH_DIGITS"


class WitWorld(wit_world.WitWorld):
    """The world `encoder-decoder-service`."""

    def encr(self, input: str) -> str:
        """Encrypt `input`."""
        output = cipher.encrypt(input, with_digits=_digits())
        auditrecord("encrypt", f"Length: {len(input)}")
        return output

    def decr(self, input: str) -> str:
        """Decrypt `input`."""
        output = cipher.decrypt(input, with_digits=_digits())
        auditrecord("decrypt", f"Length: {len(input)}")
        return output


def _digits() -> bool:
    """Read the setting.

    This must happen inside a call: the component is a snapshot of the interpreter after its imports, where
    only the environment of the build exists.
    """
    # The manifest has the same default; this one is for hosts without manifests.
    value = os.environ.get(_VARIABLE, "no")
    if value not in ("yes", "no"):
        _fail(f"{_VARIABLE} must be yes or no")
    return value == "yes"


def _fail(reason: str) -> NoReturn:
    """Fail the call as the contract requires: one line on stderr, then a trap.

    The reason never repeats a value, which could be a secret. An exception would print a traceback, and
    `sys.exit` does not trap.
    """
    print(reason, file=sys.stderr, flush=True)
    os.abort()
