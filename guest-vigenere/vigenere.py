"""The Vigenere cipher on its own: no bindings, no environment.

Only ASCII letters change, and only they use up a letter of the keyword. A loop over the characters
would be the plain way to say so, but in a component it takes half a microsecond for each of them.
So everything here is done to many bytes at once: `bytes.translate` looks every byte up in a table,
and `int` adds two byte strings of equal length, byte to byte, as long as no sum exceeds 255.
"""

_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
_ALPHABET = len(_UPPER)

# How many characters are worked on at a time: it bounds the memory used besides the text itself.
_PIECE = 64 * 1024

# How many bytes have their letters counted at a time. One division by 255 counts up to 254.
_ROW = 254

# How many characters of a refused keyword an error repeats.
_QUOTED = 40

# Where a byte that is no letter starts its range of sums, clear of what any letter can reach.
_NO_LETTER = 128

# byte -> 1 for a letter, 0 for anything else
_IS_LETTER = bytes(byte in _UPPER + _LOWER for byte in range(256))

# byte -> itself, or 0 for a letter
_OTHERS = bytes(0 if _IS_LETTER[byte] else byte for byte in range(256))


def _places() -> tuple[bytes, bytes]:
    """Make the table from a byte to its place, and from place plus shift to the shifted letter.

    The places of upper and lower case are so far apart that no sum falls into the wrong case. What
    is no letter becomes 0, whatever is added to it.
    """
    places = bytearray([_NO_LETTER]) * 256
    letters = bytearray(256)
    for start, alphabet in ((0, _UPPER), (64, _LOWER)):
        for place, letter in enumerate(alphabet):
            places[letter] = start + place
        letters[start : start + 2 * _ALPHABET] = alphabet * 2
    return bytes(places), bytes(letters)


_PLACES, _LETTERS = _places()

_from_bytes = int.from_bytes  # looked up once: a short text takes as long as its calls


class BadKeywordError(ValueError):
    """A keyword that is not at least one ASCII letter and nothing else.

    Its text says what it must be and what it is, quoted, escaped and cut to one short line.
    """

    def __init__(self, keyword: str) -> None:
        """Describe what is wrong with `keyword`."""
        rest = "..." if len(keyword) > _QUOTED else ""
        super().__init__(f"must be ASCII letters, at least one, not {keyword[:_QUOTED]!r}{rest}")


class Key:
    """A keyword and a direction, made ready for any number of messages."""

    __slots__ = ("length", "shifts")

    def __init__(self, keyword: str, *, decrypt: bool) -> None:
        """Take the shifts from the letters of `keyword`; their case does not matter.

        Raises:
            BadKeywordError: if `keyword` is anything but ASCII letters, or empty.
        """
        if not (keyword.isascii() and keyword.isalpha()):
            raise BadKeywordError(keyword)
        shifts = bytes(_UPPER.index(letter) for letter in keyword.upper().encode())
        if decrypt:
            shifts = bytes(-shift % _ALPHABET for shift in shifts)
        self.length = len(shifts)
        # One for each letter of the keyword, then on from its start for 256 more: any 256 in a row
        # are a table from how many letters came before to the shift of the next one.
        self.shifts = shifts + (shifts * (256 // len(shifts) + 1))[:256]


class Message:
    """One message, in as many chunks as it comes in; `length` is its characters so far."""

    __slots__ = ("_key", "_used", "length")

    def __init__(self, key: Key) -> None:
        """Start a message with the first letter of the keyword."""
        self._key = key
        self._used = 0
        self.length = 0

    def update(self, chunk: str) -> str:
        """Return the next chunk encrypted or decrypted, as long as it was."""
        self.length += len(chunk)
        if len(chunk) <= _PIECE:
            return self._piece(chunk.encode()).decode()
        pieces = (chunk[start : start + _PIECE] for start in range(0, len(chunk), _PIECE))
        return "".join([self._piece(piece.encode()).decode() for piece in pieces])

    def _piece(self, text: bytes) -> bytes:
        size = len(text)
        places = _from_bytes(text.translate(_PLACES), "big")
        shifts = _from_bytes(self._shifts_under(text), "big")
        moved = (places + shifts).to_bytes(size, "big").translate(_LETTERS)
        # Now put back what was no letter: there `moved` is 0, and `others` is 0 everywhere else.
        others = text.translate(_OTHERS)
        return (_from_bytes(moved, "big") | _from_bytes(others, "big")).to_bytes(size, "big")

    def _shifts_under(self, text: bytes) -> bytes:
        """Return the shift for each letter of `text`, and any shift for what is no letter."""
        is_letter = text.translate(_IS_LETTER)
        key = self._key
        used = self._used
        rows = []
        for start in range(0, len(text), _ROW):
            row = is_letter[start : start + _ROW]
            # In base 256 the row's digits are ones and zeros. As in "casting out nines", dividing
            # by 255 leaves the sum of the digits, and each digit of the quotient is the sum of
            # those before it.
            before, letters = divmod(_from_bytes(row, "big"), 255)
            rows.append(before.to_bytes(len(row), "big").translate(key.shifts[used : used + 256]))
            used = (used + letters) % key.length
        self._used = used
        return b"".join(rows)
