"""Drops from a component what costs its callers and serves nobody: slim_component.py FROM TO.

componentize-py links CPython from a dozen core modules, which export some 4,200 symbols to each other and
use half of them. The host reads every export at each start of the component: without those that nothing
uses, and without the names of functions (read only to print a backtrace), a first call touches about 150
pages fewer. The binary format: https://webassembly.github.io/spec/core/binary/modules.html and
https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

_PREAMBLE = 8  # magic, version and layer: the same length for a core module and a component

# The section of a component that holds a core module.
_COMPONENT_CORE_MODULE = 1

# Sections of a core module.
_CUSTOM = 0
_IMPORT = 2
_EXPORT = 7


class Reader:
    """Takes the primitives of the binary format from `data`, one after the other."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        """Start at `position`."""
        self.data = data
        self.position = position

    def byte(self) -> int:
        """Take one byte."""
        self.position += 1
        return self.data[self.position - 1]

    def number(self) -> int:
        """Take an unsigned LEB128 number."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def chunk(self) -> bytes:
        """Take as many bytes as a number before them says."""
        length = self.number()
        self.position += length
        return self.data[self.position - length : self.position]

    def limits(self) -> None:
        """Pass over the limits of a memory or table."""
        has_maximum = self.byte() & 1
        self.number()
        if has_maximum:
            self.number()


def encode_number(value: int) -> bytes:
    """Encode `value` as unsigned LEB128."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def sections(binary: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the sections of a core module or component: each one's number and contents."""
    reader = Reader(binary, _PREAMBLE)
    while reader.position < len(binary):
        yield reader.byte(), reader.chunk()


def join(preamble: bytes, parts: list[tuple[int, bytes]]) -> bytes:
    """Put sections together again."""
    return preamble + b"".join(
        bytes([number]) + encode_number(len(contents)) + contents for number, contents in parts
    )


def imported_names(section: bytes) -> Iterator[bytes]:
    """Yield the name of every import in the import section of a core module."""
    reader = Reader(section)
    for _ in range(reader.number()):
        reader.chunk()  # the module that it is imported from
        yield reader.chunk()
        kind = reader.byte()
        if kind == 0:  # a function: its type
            reader.number()
        elif kind == 1:  # a table: the type of its elements, then its limits
            reader.byte()
            reader.limits()
        elif kind == 2:  # a memory
            reader.limits()
        elif kind == 3:  # a global: its type and whether it can change
            reader.byte()
            reader.byte()
        else:
            raise ValueError(f"import of unknown kind {kind}")


def keep_exports(section: bytes, is_used: set[bytes], elsewhere: bytes) -> bytes:
    """Return the export section without the names that are not in `is_used`, nor anywhere in `elsewhere`."""
    reader = Reader(section)
    kept = []
    for _ in range(reader.number()):
        start = reader.position
        name = reader.chunk()
        reader.byte()  # its kind
        reader.number()  # its index
        if name in is_used or name in elsewhere:
            kept.append(section[start : reader.position])
    return encode_number(len(kept)) + b"".join(kept)


def slim(component: bytes) -> bytes:
    """Return `component` without unused exports of its core modules, and without names of functions."""
    parts = list(sections(component))
    modules = [contents for number, contents in parts if number == _COMPONENT_CORE_MODULE]
    # The component's own sections name the exports that they use. Which bytes of them are such names need not
    # be known: a name that is nowhere among them is not used there.
    elsewhere = b"".join(contents for number, contents in parts if number != _COMPONENT_CORE_MODULE)
    is_used = {
        name
        for module in modules
        for number, contents in sections(module)
        if number == _IMPORT
        for name in imported_names(contents)
    }

    def slim_module(module: bytes) -> bytes:
        kept = []
        for number, contents in sections(module):
            if number == _CUSTOM and Reader(contents).chunk() == b"name":
                continue
            if number == _EXPORT:
                contents = keep_exports(contents, is_used, elsewhere)
            kept.append((number, contents))
        return join(module[:_PREAMBLE], kept)

    return join(
        component[:_PREAMBLE],
        [
            (number, slim_module(contents) if number == _COMPONENT_CORE_MODULE else contents)
            for number, contents in parts
        ],
    )


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_bytes(slim(source.read_bytes()))
