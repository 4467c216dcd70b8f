"""The Vigenere cipher as a guest of saritnike:cipher: the bindings of `encr` and `decr`."""

import os
import random
import sys
from functools import cache
from typing import NoReturn

import wit_world
from wit_world.imports.audit_log import auditrecord

import vigenere

_VARIABLE = "VIGENERE_KEYWORD"
_DEFAULT = "WASM"

_key = cache(vigenere.Key)


@cache
def key(*, decrypt: bool) -> vigenere.Key:
    """Read the keyword from the environment; one that cannot be used ends the call.

    Only calls may read it, never an import: the component is a snapshot taken after the imports.
    Its environment then stays as it is, so the first call's answer holds for the rest.
    """
    try:
        return _key(os.environ.get(_VARIABLE, _DEFAULT), decrypt=decrypt)
    except vigenere.BadKeywordError as error:
        _fail(f"{_VARIABLE} {error}")


def record(message: vigenere.Message, *, decrypt: bool) -> None:
    """Write the one audit entry of a finished message."""
    auditrecord("decrypt" if decrypt else "encrypt", f"Length: {message.length}")


def _fail(reason: str) -> NoReturn:
    """End the call as the contract says a failure must: one line on standard error, then a trap.

    An exception would trap too, but only after a traceback and a panic message; `sys.exit` and
    `os._exit` do not trap.
    """
    print(reason, file=sys.stderr, flush=True)
    os.abort()


def _whole(text: str, *, decrypt: bool) -> str:
    message = vigenere.Message(key(decrypt=decrypt))
    output = message.update(text)
    record(message, decrypt=decrypt)
    return output


def _practise() -> None:
    """Run the cipher often enough for the interpreter to adapt its bytecode to it.

    At import, so that the snapshot holds the outcome: the first call then need not do it. The keys of
    the default keyword are then made, too.
    """
    for _ in range(64):
        for decrypt in (False, True):
            vigenere.Message(vigenere.Key(_DEFAULT, decrypt=decrypt)).update("Hello, World!")
            vigenere.Message(_key(_DEFAULT, decrypt=decrypt)).update("Hello, World!")


_practise()

# The runtime seeds `random` before the first call, which is a tenth of all page faults then. This guest
# uses no randomness, and its manifest asks for none: the host would give the same bytes each time.
random.seed = lambda *_: None


class WitWorld(wit_world.WitWorld):
    """A whole text per call."""

    def encr(self, input: str) -> str:
        """Encrypt `input`."""
        return _whole(input, decrypt=False)

    def decr(self, input: str) -> str:
        """Decrypt `input`."""
        return _whole(input, decrypt=True)
