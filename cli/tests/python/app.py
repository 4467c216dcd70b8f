"""A guest that uses much of Python's standard library, for the comparison of linked and plain components."""

import base64
import binascii
import bisect
import calendar
import collections
import datetime
import decimal
import fractions
import functools
import hashlib
import heapq
import hmac
import itertools
import json
import math
import os
import random
import re
import socket
import statistics
import string
import struct
import textwrap
import traceback
import unicodedata
import urllib.parse
import uuid
from collections.abc import Callable

import wit_world

_LONG = 10_000


class WitWorld(wit_world.WitWorld):
    """Both functions return digests and text that depend only on the input."""

    def encr(self, input: str) -> str:
        """Call every function below with `input`, and return what each of them did, as JSON."""
        text = input[:_LONG]
        return json.dumps({call.__name__: _outcome(call, text) for call in _CALLS}, sort_keys=True)

    def decr(self, input: str) -> str:
        """Digest an input of any length, or fail as it says."""
        if input == "raise":
            raise ValueError("no such message")
        if input == "none":
            return None
        if input == "number":
            return len(input)
        data = input.encode()
        return f"{len(input)} {hashlib.sha256(data).hexdigest()} {binascii.crc32(data[::-1])}"


def _outcome(call: Callable[[str], object], text: str) -> str:
    try:
        return repr(call(text))
    except (Exception, RecursionError) as error:  # any failure is an outcome to compare
        return f"{type(error).__name__}: {error}"


def _json(text: str) -> object:
    return json.loads(json.dumps({"text": text, "numbers": [1, 2.5, -3e100, None, True], "nested": [[[{}]]]}))


def _json_error(text: str) -> object:
    return json.loads("[1, 2" + text)


def _re(text: str) -> object:
    pattern = re.compile(r"(?P<word>\w+)|(?P<space>\s+)|(?P<other>.)", re.DOTALL)
    return collections.Counter(match.lastgroup for match in pattern.finditer(text)), re.sub(
        r"(\w)(\w)", r"\2\1", text
    )[:99]


def _hashes(text: str) -> object:
    names = ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s")
    return [hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest() for name in names]


def _hmac(text: str) -> object:
    return [hmac.new(b"key", text.encode(), name).hexdigest() for name in ("md5", "sha256", "sha512")]


def _encodings(text: str) -> object:
    data = text.encode()
    codes = (base64.b64encode, base64.b32encode, base64.b85encode, binascii.hexlify)
    return [hashlib.sha256(code(data)).hexdigest() for code in codes], base64.b64decode(
        base64.b64encode(data)
    ) == data


def _dates(text: str) -> object:
    start = datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc) + datetime.timedelta(
        days=len(text), microseconds=7
    )
    return start.isoformat(), start.strftime("%a %d %b %Y %j %U"), calendar.month(2024, 2), start.toordinal()


def _decimals(text: str) -> object:
    with decimal.localcontext() as context:
        context.prec = 50
        return (
            decimal.Decimal(len(text) + 2).sqrt(),
            decimal.Decimal(1) / 7,
            fractions.Fraction(len(text) + 1, 12),
        )


def _floats(text: str) -> object:
    number = len(text) + 0.5
    functions = (math.sin, math.exp, math.log, math.gamma, math.erf, math.sqrt, math.floor, math.cbrt)
    return (
        [function(min(number, 99.5)) for function in functions],
        math.fsum([0.1] * 10),
        float("inf") - float("inf"),
        round(number, 2),
    )


def _integers(text: str) -> object:
    big = 7 ** (200 + len(text) % 100)
    return (
        big,
        big % 1_000_007,
        math.gcd(big, 49),
        pow(3, big, 10**9 + 7),
        math.isqrt(big),
        int(str(big)) == big,
    )


def _random(text: str) -> object:
    numbers = random.Random(text)  # noqa: S311 - a sequence to compare, not a secret
    return numbers.random(), numbers.sample(range(1000), 5), numbers.gauss(0, 1), numbers.getrandbits(100)


def _zlib(text: str) -> object:
    import zlib  # componentize-py has it since 0.19

    packed = zlib.compress(text.encode() * 20, 9)
    return len(packed), zlib.adler32(packed), zlib.decompress(packed[:-1] + b"\x00")


def _struct(text: str) -> object:
    packed = struct.pack("<bHiQfd5s", -1, 2, -3, 4, 0.1, 0.2, text.encode()[:5])
    return packed.hex(), struct.unpack("<bHiQfd5s", packed), struct.pack(">h", 40_000)


def _unicode(text: str) -> object:
    sample = text[:50] + "Å①ﬁé日🦀"
    forms = [unicodedata.normalize(form, sample) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    return (
        forms,
        [unicodedata.name(character, "?") for character in sample[-6:]],
        sample.upper(),
        sample.casefold(),
    )


def _collections(text: str) -> object:
    words = text.split()[:50]
    heap = list(map(len, words))
    heapq.heapify(heap)
    return (
        collections.OrderedDict.fromkeys(words),
        [heapq.heappop(heap) for _ in heap[:]],
        bisect.bisect([1, 3], 2),
    )


def _iterators(text: str) -> object:
    return list(itertools.islice(itertools.permutations(text[:5] + "abc"), 10)), functools.reduce(
        lambda a, b: a * 3 + b, map(ord, text[:50]), 1
    )


def _texts(text: str) -> object:
    return (
        textwrap.fill(text[:300], 30),
        string.Template("$x is $y").substitute(x=1, y=text[:9]),
        f"{1234.5:>+12,.3e}|{text[:9]!r:^20}",
    )


def _addresses(text: str) -> object:
    return (
        urllib.parse.quote(text[:50]),
        urllib.parse.urlsplit("https://u@h:8/p?q#f"),
        uuid.uuid5(uuid.NAMESPACE_DNS, text[:50]),
    )


def _statistics(text: str) -> object:
    return statistics.linear_regression([1, 2, 3], [2, 4, 7 + len(text)]), statistics.stdev(
        map(ord, text[:50])
    )


def _exceptions(text: str) -> object:
    try:
        try:
            int(text[:5] + "x")
        except ValueError as error:
            raise KeyError("outer") from error
        finally:
            text += "!"
    except KeyError as error:
        return (
            [line.strip() for line in traceback.format_exception_only(error)],
            repr(error.__cause__),
            text[-1],
        )
    return None


def _group(text: str) -> object:
    raise ExceptionGroup("several", [ValueError(text[:5]), TypeError("second")])  # noqa: F821 - since 3.11


def _recursion(text: str) -> object:
    def depth(level: int) -> int:
        return 0 if level == 0 else 1 + depth(level - 1)

    return depth(300), depth(10_000)


def _generators(text: str) -> object:
    def echo() -> "collections.abc.Generator[str, str, str]":
        received = yield "started"
        while received != "stop":
            received = yield received * 2
        return "stopped"

    generator = echo()
    answers = [next(generator), generator.send(text[:3]), generator.send("b")]
    try:
        generator.send("stop")
    except StopIteration as stop:
        answers.append(stop.value)
    return answers


def _files(text: str) -> object:
    return open("/etc/passwd").read()  # noqa: PTH123 - it fails


def _directories(text: str) -> object:
    return os.listdir("/")  # noqa: PTH208 - it fails


def _socket(text: str) -> object:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def _udp(text: str) -> object:
    return socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)


def _resolve(text: str) -> object:
    return socket.getaddrinfo("localhost", 80)


def _environment(text: str) -> object:
    return sorted(os.environ.items())


def _memory(text: str) -> object:
    return hashlib.sha256(bytearray(range(256)) * 100_000).hexdigest()


_CALLS: list[Callable[[str], object]] = [
    *(_json, _json_error, _re, _hashes, _hmac, _encodings, _dates, _decimals, _floats, _integers, _random),
    *(
        _zlib,
        _struct,
        _unicode,
        _collections,
        _iterators,
        _texts,
        _addresses,
        _statistics,
        _exceptions,
        _group,
    ),
    *(_recursion, _generators, _files, _directories, _socket, _udp, _resolve, _environment, _memory),
]
