"""The Vigenere cipher, without bindings or environment.

Only ASCII letters change, and only they consume a letter of the keyword. A loop over the characters would be
the obvious way to write this, but takes half a microsecond per character in a component. So everything here
works on many bytes at once: `bytes.translate` looks up every byte in a table, and `int` adds two byte strings
of equal length, byte by byte, as long as no sum exceeds 255.
"""

_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
_ALPHABET = len(_UPPER)

# The number of characters that are processed at a time, which bounds memory.
_BLOCK = 64 * 1024

# The number of bytes whose letters one division by 255 can count.
_ROW = 254

# The number of characters of an invalid keyword that an error repeats.
_QUOTED = 40

# The place of a byte that is not a letter: no sum of a letter reaches it.
_NO_LETTER = 128

# byte -> 1 for a letter, 0 otherwise
_IS_LETTER = bytes(byte in _UPPER + _LOWER for byte in range(256))

# byte -> itself, or 0 for a letter
_OTHERS = bytes(0 if _IS_LETTER[byte] else byte for byte in range(256))


def _places() -> tuple[bytes, bytes]:
    """Return the tables from a byte to its place, and from place plus shift to the shifted letter.

    The places of upper and lower case are far enough apart that no sum falls into the wrong case. A byte that
    is not a letter becomes 0, whatever is added to it.
    """
    places = bytearray([_NO_LETTER]) * 256
    letters = bytearray(256)
    for start, alphabet in ((0, _UPPER), (64, _LOWER)):
        for place, letter in enumerate(alphabet):
            places[letter] = start + place
        letters[start : start + 2 * _ALPHABET] = alphabet * 2
    return bytes(places), bytes(letters)


_PLACES, _LETTERS = _places()

_from_bytes = int.from_bytes  # looked up once, because calls dominate the time of a short text


class BadKeywordError(ValueError):
    """A keyword that is empty or contains anything but ASCII letters.

    The message quotes the keyword, escaped and shortened to one line.
    """

    def __init__(self, keyword: str) -> None:
        """Describe what is wrong with `keyword`."""
        rest = "..." if len(keyword) > _QUOTED else ""
        super().__init__(f"must be ASCII letters, at least one, not {keyword[:_QUOTED]!r}{rest}")


class Key:
    """A keyword and an operation, prepared for any number of messages."""

    __slots__ = ("length", "shifts")

    def __init__(self, keyword: str, *, decrypt: bool) -> None:
        """Take the shifts from the letters of `keyword`, in any case.

        Raises:
            BadKeywordError: if `keyword` is empty or contains anything but ASCII letters.
        """
        if not (keyword.isascii() and keyword.isalpha()):
            raise BadKeywordError(keyword)
        shifts = bytes(_UPPER.index(letter) for letter in keyword.upper().encode())
        if decrypt:
            shifts = bytes(-shift % _ALPHABET for shift in shifts)
        self.length = len(shifts)
        # The shifts of the keyword, repeated until 256 follow its last letter: any 256 in a row are a table
        # from the number of letters so far to the shift of the next one.
        self.shifts = shifts + (shifts * (256 // len(shifts) + 1))[:256]


class Message:
    """One message in any number of chunks; `length` counts its characters so far."""

    __slots__ = ("_key", "_used", "length")

    def __init__(self, key: Key) -> None:
        """Start a message with the first letter of the keyword."""
        self._key = key
        self._used = 0
        self.length = 0

    def update(self, chunk: str) -> str:
        """Encrypt or decrypt the next chunk."""
        self.length += len(chunk)
        if len(chunk) <= _BLOCK:
            return self._block(chunk.encode()).decode()
        blocks = (chunk[start : start + _BLOCK] for start in range(0, len(chunk), _BLOCK))
        return "".join([self._block(block.encode()).decode() for block in blocks])

    def _block(self, text: bytes) -> bytes:
        size = len(text)
        places = _from_bytes(text.translate(_PLACES), "big")
        shifts = _from_bytes(self._shifts_under(text), "big")
        moved = (places + shifts).to_bytes(size, "big").translate(_LETTERS)
        # Restore the other bytes: where `moved` is 0, `others` is the byte, and it is 0 everywhere else.
        others = text.translate(_OTHERS)
        return (_from_bytes(moved, "big") | _from_bytes(others, "big")).to_bytes(size, "big")

    def _shifts_under(self, text: bytes) -> bytes:
        """Return the shift for each letter of `text`, and any shift for other bytes."""
        is_letter = text.translate(_IS_LETTER)
        key = self._key
        used = self._used
        rows = []
        for start in range(0, len(text), _ROW):
            row = is_letter[start : start + _ROW]
            # In base 256, the digits of the row are ones and zeros. As in casting out nines, the remainder of
            # the division by 255 is the sum of the digits, and each digit of the quotient is the sum of those
            # before.
            before, letters = divmod(_from_bytes(row, "big"), 255)
            rows.append(before.to_bytes(len(row), "big").translate(key.shifts[used : used + 256]))
            used = (used + letters) % key.length
        self._used = used
        return b"".join(rows)
