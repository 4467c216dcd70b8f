"""The Vigenere cipher as a plain loop in native Python, to compare the guest with.

Usage: vigenere_loop.py [TEXT], which defaults to stdin
"""

import sys

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


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(encrypt(sys.argv[1]))
    else:
        sys.stdout.write(encrypt(sys.stdin.read()))
