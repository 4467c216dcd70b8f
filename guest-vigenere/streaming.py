"""The bindings of the interface `streaming`; componentize-py goes by the name of this module."""

from typing import Self

from wit_world.exports import streaming

import app
import vigenere


class Message(streaming.Message):
    """A message whose chunks are still coming."""

    def __init__(self, operation: streaming.Operation) -> None:
        """Start a message, reading the keyword."""
        self._decrypt = operation is streaming.Operation.DECR
        self._message = vigenere.Message(app.key(decrypt=self._decrypt))

    def update(self, chunk: str) -> str:
        """Take the next chunk and return all of it, encrypted or decrypted."""
        return self._message.update(chunk)

    @classmethod
    def finish(cls, message: Self) -> str:
        """End `message`; every chunk was answered at once, so nothing is left to return."""
        app.record(message._message, decrypt=message._decrypt)
        return ""
