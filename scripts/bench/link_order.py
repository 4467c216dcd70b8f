"""Prints a linker script with the functions of `cipher` in the order in which calls first use them.

Each function has a breakpoint, which is removed when it is reached. Needs x86-64 Linux and `nm`.

Usage: link_order.py CIPHER
"""

import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

PTRACE = ctypes.CDLL(None).ptrace
PTRACE.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
PTRACE.restype = ctypes.c_long
# From <sys/ptrace.h>, <sys/user.h>, and <linux/wait.h>.
TRACEME, PEEKUSER, POKEUSER, CONT, SETOPTIONS = 0, 3, 6, 7, 0x4200
TRACE_THREADS, ALL_THREADS = 0x8, 0x40000000
INSTRUCTION_POINTER = 16 * 8
BREAKPOINT = b"\xcc"


def functions(program: str) -> dict[int, list[str]]:
    """Return the names of all functions by address."""
    found: dict[int, list[str]] = {}
    listed = subprocess.run(["nm", "--defined-only", program], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        address, kind, name = line.split()
        if kind in "tTwW":
            found.setdefault(int(address, 16), []).append(name)
    return found


def pattern(name: str) -> str:
    """Return a pattern for the sections of a function.

    It ignores what changes with the compiler: the hash in each name, and the suffix of functions that were
    moved between modules.
    """
    name = re.sub(r"\.llvm\.\d+$", "", name)
    name = re.sub(r"17h[0-9a-f]{16}E$", "17h*", name)
    if name.startswith("_R"):
        name = re.sub(r"Cs[0-9A-Za-z]+_(?=\d)", "Cs*_", name) + "*"
    return f"*(.text*.{name})"


def start(command: list[str], environment: dict[str, str], text: bytes) -> int:
    """Start a program that stops before its first instruction, with `text` as its stdin."""
    reader, writer = os.pipe()
    os.write(writer, text)
    os.close(writer)
    child = os.fork()
    if child == 0:
        os.dup2(reader, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        PTRACE(TRACEME, 0, None, None)
        os.execve(command[0], command, environment)  # noqa: S606
    os.close(reader)
    os.waitpid(child, 0)
    PTRACE(SETOPTIONS, child, None, TRACE_THREADS)
    return child


def first_uses(child: int, addresses: set[int]) -> list[int]:
    """Run a stopped program to its end and return the functions that it reached, in order."""
    reached: list[int] = []
    with Path(f"/proc/{child}/mem").open("r+b", buffering=0) as memory:
        original = {}
        for address in addresses:
            memory.seek(address)
            original[address] = memory.read(1)
            memory.seek(address)
            memory.write(BREAKPOINT)
        PTRACE(CONT, child, None, None)
        while True:
            try:
                thread, status = os.waitpid(-1, ALL_THREADS)
            except ChildProcessError:
                return reached
            if not os.WIFSTOPPED(status):
                if thread == child and status != 0:
                    raise SystemExit(f"link_order.py: the program ended with status {status}")
                continue
            stopped_at: int = PTRACE(PEEKUSER, thread, INSTRUCTION_POINTER, None) - 1
            if status >> 8 == signal.SIGTRAP and stopped_at in original:
                # Another thread may have reached it first.
                if stopped_at not in reached:
                    reached.append(stopped_at)
                    memory.seek(stopped_at)
                    memory.write(original[stopped_at])
                PTRACE(POKEUSER, thread, INSTRUCTION_POINTER, stopped_at)
            PTRACE(CONT, thread, None, None)


def main() -> None:
    """Trace one call of each guest, by name and by path, and records."""
    program = str(Path(sys.argv[1]).resolve())
    guests = Path(__file__).resolve().parents[2] / "target/guests"
    names = functions(program)
    runs = [
        ["encrypt", "Caesar", "Hello, World!"],
        ["encrypt", "Vigenere", "Hello, World!"],
        ["decrypt", str(guests / "Caesar.wasm")],
        ["encrypt", "--lines", "Caesar"],
        ["batch", "--algorithm", "Caesar"],
    ]
    order: dict[int, None] = {}
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home}
        for arguments in runs:
            text = b'{"message": "Hello"}\n' if arguments[0] == "batch" else b"Hello\n"
            command = [program, *arguments]
            # Compile the guest first.
            subprocess.run(command, env=environment, input=text, capture_output=True, check=True)
            order.update(dict.fromkeys(first_uses(start(command, environment, text), set(names))))
    patterns = dict.fromkeys(pattern(name) for address in order for name in sorted(names[address]))
    print("/* Written by 'scripts/just link-order': the functions that calls use, in order. */")
    print("SECTIONS\n{\n  .text.first :\n  {")
    print("".join(f"    {pattern}\n" for pattern in patterns), end="")
    print("  }\n}\nINSERT BEFORE .text;")


main()
