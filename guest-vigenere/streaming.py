"""The bindings of the interface `streaming` (wit/streaming.wit).

componentize-py finds them by the name of this module.
"""

from typing import Self

from wit_world.exports import streaming

import app
import vigenere


class Message(streaming.Message):
    """A message that arrives in chunks."""

    def __init__(self, operation: streaming.Operation) -> None:
        """Start a message with the keyword in force."""
        self._decrypt = operation is streaming.Operation.DECR
        self._message = vigenere.Message(app.key(decrypt=self._decrypt))

    def update(self, chunk: str) -> str:
        """Encrypt or decrypt the next chunk."""
        return self._message.update(chunk)

    @classmethod
    def finish(cls, message: Self) -> str:
        """End `message`. Its last `update` has returned everything."""
        app.audit(message._message, decrypt=message._decrypt)
        return ""
