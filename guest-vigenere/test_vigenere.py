import sys
from itertools import accumulate, cycle
from pathlib import Path
from string import ascii_letters, ascii_uppercase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vigenere

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # a dependency of pytest there

settings.register_profile("repository", database=None, deadline=None)
settings.load_profile("repository")

MANIFEST = tomllib.loads(Path(__file__).with_name("Vigenere.toml").read_text(encoding="utf-8"))

keywords = st.text(ascii_letters, min_size=1, max_size=300)
# Texts that cross the borders of rows and blocks, with and without letters.
texts = st.text() | st.text(ascii_letters + " .1é日🦀", max_size=1000)


def run(text: str, keyword: str, *, decrypt: bool = False) -> str:
    return vigenere.Message(vigenere.Key(keyword, decrypt=decrypt)).update(text)


def naive(text: str, keyword: str) -> str:
    """The definition of the cipher, one character at a time."""
    shifts = cycle(ascii_uppercase.index(letter) for letter in keyword.upper())
    out = []
    for character in text:
        if character in ascii_letters:
            first = "A" if character.isupper() else "a"
            character = chr(ord(first) + (ord(character) - ord(first) + next(shifts)) % 26)
        out.append(character)
    return "".join(out)


@pytest.mark.parametrize("answer", MANIFEST["known-answers"], ids=lambda answer: answer["plaintext"])
def test_gives_known_answers_of_manifest(answer: dict[str, Any]) -> None:
    plaintext, ciphertext = answer["plaintext"], answer["ciphertext"]
    default = MANIFEST["settings"]["VIGENERE_KEYWORD"]["default"]
    keyword = answer.get("settings", {}).get("VIGENERE_KEYWORD", default)
    assert run(plaintext, keyword) == ciphertext
    assert run(ciphertext, keyword, decrypt=True) == plaintext


@given(texts, keywords)
def test_equals_naive_cipher(text: str, keyword: str) -> None:
    assert run(text, keyword) == naive(text, keyword)


@given(texts, keywords)
def test_decrypts_what_it_encrypts(text: str, keyword: str) -> None:
    assert run(run(text, keyword), keyword, decrypt=True) == text


@pytest.mark.parametrize("length", [1, 4, 5, 253, 254, 255, 256, 257, 508, 10_000])
@pytest.mark.parametrize("text", [ascii_letters, "a1", " \0\x7f\x80z", "日本🦀q"])
def test_takes_long_texts_and_keywords(text: str, length: int) -> None:
    text = (text * 70_000)[:70_000]
    keyword = (ascii_letters * length)[:length]
    assert run(text, keyword) == naive(text, keyword)


@given(st.lists(texts, max_size=5), keywords)
def test_chunks_equal_whole_message(chunks: list[str], keyword: str) -> None:
    message = vigenere.Message(vigenere.Key(keyword, decrypt=False))
    lengths = []
    out = ""
    for chunk in chunks:
        out += message.update(chunk)
        lengths.append(message.length)
    assert out == naive("".join(chunks), keyword)
    assert lengths == list(accumulate(map(len, chunks)))


@given(texts, texts, keywords)
def test_messages_share_a_key(one: str, other: str, keyword: str) -> None:
    key = vigenere.Key(keyword, decrypt=False)
    first, second = vigenere.Message(key), vigenere.Message(key)
    first.update(one)
    assert second.update(other) == naive(other, keyword)


@pytest.mark.parametrize(
    "keyword", ["", " ", "LEMON ", "LE MON", "LEM0N", "LEM-ON", "LEMÖN", "ﬀ", "1", "\0", "\udcff"]
)
def test_rejects_keywords_with_other_characters(keyword: str) -> None:
    with pytest.raises(vigenere.BadKeywordError):
        vigenere.Key(keyword, decrypt=False)


@given(st.text(max_size=100).filter(lambda text: not (text.isascii() and text.isalpha())))
def test_quotes_rejected_keyword_on_one_line(keyword: str) -> None:
    with pytest.raises(vigenere.BadKeywordError) as caught:
        vigenere.Key(keyword, decrypt=False)
    message = str(caught.value)
    assert message.isprintable()
    assert repr(keyword[:40]) in message
    assert message.endswith("...") == (len(keyword) > 40)
