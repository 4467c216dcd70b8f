"""The bindings: `encr` and `decr` of the contract (wit/cipher.wit), around the cipher in cipher.py."""

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

    Only a call may do this. The component is a snapshot of the interpreter after its imports: what is read
    there is the environment of the build, for ever.
    """
    # The default is in the manifest, too; this one is for a host without.
    value = os.environ.get(_VARIABLE, "no")
    if value not in ("yes", "no"):
        _fail(f"{_VARIABLE} must be yes or no, not {value!r}")
    return value == "yes"


def _fail(reason: str) -> NoReturn:
    """End the call as the contract says a failure must: one line on standard error, then a trap.

    An exception would print a traceback, and `sys.exit` is no trap.
    """
    print(reason, file=sys.stderr, flush=True)
    os.abort()
