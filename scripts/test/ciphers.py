"""Installs real ciphers and uses them in every mode.

Usage: scripts/test/ciphers.py CIPHER AGE

AGE is the component of cli/examples/age, with its manifest next to it. The others are built here: two of
cli/tests/ciphers, and two projects of 'cipher new --kind authenticated'. The `age` command must be installed.
"""

import base64
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import tomllib

CIPHER = sys.argv[1]
LINES = ["attack at dawn", "Größe 日本 🎉", "", "card 4111-1111-1111-1111", "x" * 5000]
NONCES = 1_000_000
NONCE_BYTES = 24
LONG_BYTES = 100_000_000
MEMORY_BYTES = 64 << 20
# Results with several lines cannot be records that end in a line feed.
MULTI_LINE = {"Age"}


def expect(what: str, expected: object, actual: object) -> None:
    """Exit unless both are equal."""
    if expected != actual:
        shown = [repr(value)[:300] for value in (expected, actual)]
        raise SystemExit(f"scripts/test/ciphers.py: {what}: expected {shown[0]}, got {shown[1]}")


def run(command: list[str], text: bytes = b"") -> bytes:
    """Return the stdout of a command that must succeed."""
    ended = subprocess.run(command, input=text, capture_output=True, check=False)
    if ended.returncode != 0:
        reason = ended.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise SystemExit(
            f"scripts/test/ciphers.py: {' '.join(command[1:4])}: status {ended.returncode}: {reason}"
        )
    return ended.stdout


def key_options(manifest: dict[str, Any], directory: Path) -> list[str]:
    """Put the example of each setting into a file, and return the options that read it."""
    options = []
    for name, setting in manifest["settings"].items():
        if example := setting.get("example"):
            file = directory / name
            file.write_text(f"{example}\n")
            options += ["--set-file", f"{name}={file}"]
    return options


def check_modes(name: str, options: list[str]) -> None:
    """Decrypt what was encrypted, by argument, stdin, records, isolated records, and batch."""
    encrypt = [CIPHER, "encrypt", "--quiet", name, *options]
    decrypt = [CIPHER, "decrypt", "--quiet", name, *options]
    for line in LINES:
        secret = run([*encrypt, "--", line]).decode().removesuffix("\n")
        expect(f"{name}, by argument", line, run([*decrypt, "--", secret]).decode().removesuffix("\n"))
        expect(f"{name}, by stdin", line, run(decrypt, run(encrypt, line.encode())).decode())
    modes = [["--null"], ["--null", "--isolate"], ["--null", "-j", "3"]]
    if name not in MULTI_LINE:
        modes += [["--lines"], ["--lines", "--isolate"]]
    for mode in modes:
        end = "\0" if "--null" in mode else "\n"
        text = "".join(line + end for line in LINES * 20)
        secret_records = run([*encrypt, *mode], text.encode())
        expect(f"{name}, {' '.join(mode)}", text, run([*decrypt, *mode], secret_records).decode())
    batch = [CIPHER, "batch", "--quiet", *options]
    requests = "".join(json.dumps({"algorithm": name, "message": line}) + "\n" for line in LINES)
    answers = [
        json.loads(line) for line in run([*batch, "--algorithm", name], requests.encode()).splitlines()
    ]
    back = [{"algorithm": name, "operation": "decrypt", "message": answer["result"]} for answer in answers]
    lines = "".join(json.dumps(request) + "\n" for request in back)
    results = [
        json.loads(line)["result"] for line in run([*batch, "--algorithm", name], lines.encode()).splitlines()
    ]
    expect(f"{name}, batch", LINES, results)


def check_nonces(options: list[str]) -> None:
    """Encrypt the same text repeatedly: no two results may share a nonce."""
    encrypt = [CIPHER, "encrypt", "--quiet", "Xchacha", *options]
    isolated, batched, alone = NONCES // 20, NONCES // 10, 200
    records = NONCES - isolated - batched - alone
    secrets = run([*encrypt, "--lines", "-j", "2"], b"x\n" * (records // 2)).splitlines()
    secrets += run([*encrypt, "--lines", "-j", "1"], b"x\n" * (records - records // 2)).splitlines()
    secrets += run([*encrypt, "--lines", "--isolate"], b"x\n" * isolated).splitlines()
    request = b'{"algorithm":"Xchacha","message":"x"}\n'
    # A request cannot name a file with the key, so the options set it for all requests.
    batch = [CIPHER, "batch", "--quiet", "--algorithm", "Xchacha", *options]
    secrets += [json.loads(line)["result"].encode() for line in run(batch, request * batched).splitlines()]
    secrets += [run([*encrypt, "x"]).rstrip() for _ in range(alone)]
    nonces = {base64.b64decode(secret)[:NONCE_BYTES] for secret in secrets}
    expect("distinct nonces", NONCES, len(nonces))


def check_age(options: list[str], directory: Path) -> None:
    """Exchange messages with the `age` command, in both directions."""
    identity, recipient = directory / "AGE_IDENTITY", (directory / "AGE_RECIPIENT").read_text().strip()
    encrypt = [CIPHER, "encrypt", "--quiet", "Age", *options]
    decrypt = [CIPHER, "decrypt", "--quiet", "Age", *options]
    corpus = tomllib.loads(Path("cli/conformance/corpus.toml").read_text())
    texts = [(entry["text"] * entry.get("times", 1)).encode() for entry in corpus["texts"]]
    for text in texts:
        expect("age decrypts", text, run(["age", "--decrypt", "-i", str(identity)], run(encrypt, text)))
        armored = run(["age", "--encrypt", "--armor", "-r", recipient], text)
        expect("age encrypts", text, run(decrypt, armored))

    long = directory / "long"
    block = base64.b64encode(os.urandom(750_000))
    with long.open("wb") as file:
        for _ in range(LONG_BYTES // len(block)):
            file.write(block)
    ours, theirs, back = directory / "ours", directory / "theirs", directory / "back"
    piped([*encrypt, "--verify"], long, ours)
    run(["age", "--decrypt", "-i", str(identity), "-o", str(back), str(ours)])
    run(["cmp", str(long), str(back)])
    run(["age", "--encrypt", "--armor", "-r", recipient, "-o", str(theirs), str(long)])
    piped(decrypt, theirs, back)
    run(["cmp", str(long), str(back)])


def piped(command: list[str], source: Path, target: Path) -> None:
    """Run a command from file to file, and expect that its memory stays bounded.

    The kernel counts the memory of this process as the child's, too, so nothing long may be read here.
    """
    with source.open("rb") as stdin, target.open("wb") as stdout:
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout)
        _, status, usage = os.wait4(process.pid, 0)
    expect(f"status of {command[1]}", 0, os.waitstatus_to_exitcode(status))
    memory = usage.ru_maxrss * 1024
    if memory > MEMORY_BYTES:
        raise SystemExit(f"scripts/test/ciphers.py: {command[1]} took {memory} bytes of memory")


def build_test_cipher(name: str, directory: Path) -> Path:
    """Build a guest of cli/tests/ciphers."""
    sources = Path("cli/tests/ciphers", name.lower())
    cargo = ["cargo", "build", "--quiet", "--release", "--target", "wasm32-wasip2", "--manifest-path"]
    run([*cargo, str(sources / "Cargo.toml")])
    target = Path(os.environ["CARGO_TARGET_DIR"], "wasm32-wasip2/release", f"guest_{name.lower()}.wasm")
    shutil.copy(sources / f"{name}.toml", directory)
    return Path(shutil.copy(target, directory / f"{name}.wasm"))


def build_template(name: str, language: str, directory: Path) -> Path:
    """Build a project of `cipher new` outside the checkout, as a user would."""
    project = directory / language
    run([CIPHER, "new", name, "--language", language, "--kind", "authenticated", str(project)])
    build = ["env", "--unset=CARGO_BUILD_TARGET", "--unset=CARGO_TARGET_DIR", str(project / "build")]
    run(build)
    return project / f"{name}.wasm"


def main() -> None:
    """Install each guest, and use it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        os.environ["XDG_DATA_HOME"] = os.environ["XDG_CACHE_HOME"] = folder
        components = [
            Path(sys.argv[2]),
            build_test_cipher("Siv", directory),
            build_test_cipher("Ff1", directory),
            build_template("Xchacha", "rust", directory),
            build_template("Hmac-Ctr", "python", directory),
        ]
        for component in components:
            manifest = tomllib.loads(component.with_suffix(".toml").read_text())
            name = manifest["name"]
            run([CIPHER, "install", str(component)])
            options = key_options(manifest, directory)
            check_modes(name, options)
            if name == "Xchacha":
                check_nonces(options)
            if name == "Age":
                check_age(options, directory)
            print(f"ok: {name}", file=sys.stderr)


main()
