"""The cipher itself, without bindings or environment."""

from string import ascii_lowercase, ascii_uppercase, digits

_LETTERS = str.maketrans(
    ascii_lowercase + ascii_uppercase,
    ascii_lowercase[::-1] + ascii_uppercase[::-1],
)
_LETTERS_AND_DIGITS = _LETTERS | str.maketrans(digits, digits[::-1])


def encrypt(text: str, *, with_digits: bool) -> str:
    """Mirror the alphabet: A becomes Z, B becomes Y, and so on. With digits, 0 also becomes 9."""
    return text.translate(_LETTERS_AND_DIGITS if with_digits else _LETTERS)


def decrypt(text: str, *, with_digits: bool) -> str:
    """Undo `encrypt`, which is its own inverse."""
    return encrypt(text, with_digits=with_digits)
