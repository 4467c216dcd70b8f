"""The Vigenere cipher as a plain loop in native Python, to compare the guest with.

Usage: vigenere_loop.py [TEXT], which defaults to stdin
       vigenere_loop.py --lines AUDIT, for each line of stdin, with an audit event in the file AUDIT
"""

import sys
from pathlib import Path

KEYWORD = "WASM"


def encrypt(text: str) -> str:
    """Shift every ASCII letter by the next letter of the keyword."""
    shifts = [ord(letter) - ord("A") for letter in KEYWORD]
    output = []
    place = 0
    for character in text:
        if "a" <= character <= "z":
            start = ord("a")
        elif "A" <= character <= "Z":
            start = ord("A")
        else:
            output.append(character)
            continue
        output.append(chr((ord(character) - start + shifts[place]) % 26 + start))
        place = (place + 1) % len(shifts)
    return "".join(output)


def encrypt_lines(audit: Path) -> None:
    """Encrypt each line of stdin, and write the audit events of the guest."""
    with audit.open("w", encoding="utf-8") as events:
        for line in sys.stdin:
            text = line.removesuffix("\n")
            output = encrypt(text)
            events.write(f"[AUDIT] Action: encrypt | Detail: Length: {len(text)}\n")
            sys.stdout.write(output + line[len(text) :])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--lines"]:
        encrypt_lines(Path(sys.argv[2]))
    elif len(sys.argv) > 1:
        print(encrypt(sys.argv[1]))
    else:
        sys.stdout.write(encrypt(sys.stdin.read()))
