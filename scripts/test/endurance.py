"""Runs the program for a long time: mixed guests and inputs, with kills, stops, limits, and full disks.

Usage: scripts/test/endurance.py CIPHER GUESTS SECONDS

GUESTS is a directory with hostile guests. Next to short runs that end in various ways, one long run processes
requests for all guests, honest and hostile, while its memory is measured. CIPHER_ENDURANCE_SEED
sets the first seed.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

CIPHER, GUESTS, SECONDS = str(Path(sys.argv[1]).absolute()), Path(sys.argv[2]).absolute(), float(sys.argv[3])
SEED = int(os.environ.get("CIPHER_ENDURANCE_SEED", "1"))
ENDING = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
KEYWORD = "WASM"
# A stop takes longer than the time limit, against which it does not count. On a busy machine, a thread may
# wait for a processor for some hundred milliseconds, which do count.
TIMEOUT_SECONDS, STOP_SECONDS = 2, 3
# The long run may grow this much after its first quarter: instances of hostile guests come and go.
GROWTH_KIB = 64 << 10


class BrokenError(Exception):
    """An invariant does not hold."""


def expect(is_so: bool, what: str) -> None:
    """Fail with `what` unless `is_so`."""
    if not is_so:
        raise BrokenError(what)


def moved(letter: str, by: int) -> str:
    """Return an ASCII letter, moved along the alphabet."""
    start = ord("A") if letter in string.ascii_uppercase else ord("a")
    return chr(start + (ord(letter) - start + by) % 26)


def encrypted(algorithm: str, text: str) -> str:
    """Return what the guest must return."""
    keys = [3] if algorithm == "Caesar" else [ord(letter) - ord("A") for letter in KEYWORD]
    used, result = 0, []
    for letter in text:
        if letter in string.ascii_letters:
            result.append(moved(letter, keys[used % len(keys)]))
            used += 1
        else:
            result.append(letter)
    return "".join(result)


def texts(chance: random.Random, count: int) -> list[str]:
    """Return messages for one run."""
    parts = ["attack at dawn", "", "Größe 日本 🎉", "Z", "x" * chance.choice([10, 1000, 20_000])]
    return [f"{number} {chance.choice(parts)}" for number in range(count)]


def environment(directory: Path) -> dict[str, str]:
    """Return the environment of every run: one cache, and a directory for temporary files."""
    places = {"HOME": directory, "XDG_CACHE_HOME": directory / "cache", "TMPDIR": directory / "tmp"}
    return {"PATH": os.environ["PATH"], **{name: str(place) for name, place in places.items()}}


def events(audit: Path) -> list[int]:
    """Return the records of the complete audit events of calls."""
    whole = audit.read_bytes().split(b"\n")[:-1] if audit.exists() else []
    lines = [json.loads(line) for line in whole if line]
    return [line["record"] for line in lines if "event" in line]


def leftovers(group: int) -> bool:
    """Return whether a process of the group is still there after a while."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


class Run:
    """One run that ends in a random way."""

    def __init__(self, seed: int, directory: Path) -> None:
        """Choose everything."""
        chance = random.Random(seed)  # noqa: S311
        self.directory = directory
        self.algorithm = chance.choice(["Caesar", "Caesar", "Vigenere"])
        self.mode = chance.choice(["lines", "null", "batch"])
        self.end = chance.choice(
            ["itself", "kill", "signal", "stop", "address space", "file size", "full", "audit full"]
        )
        self.messages = texts(chance, chance.choice([0, 1, 50, 3000, 20_000]))
        self.delay = chance.random() * 0.5
        self.signal = chance.choice(list(ENDING))
        self.kibibytes = int(60_000 * 1.7 ** (chance.random() * 9))
        self.file_bytes = chance.choice([500, 5000, 300_000])
        self.options = [f"-j{chance.choice([1, 2, 4])}", *chance.choice([[], ["--isolate"]])]
        self.description = (
            f"CIPHER_ENDURANCE_SEED={seed}: {self.algorithm}, {self.mode}, {self.end}, {self.options}"
        )

    def command(self) -> list[str]:
        """Return the arguments."""
        audit = "/dev/full" if self.end == "audit full" else str(self.directory / "audit")
        options = [*self.options, "--audit-format", "json", "--audit-file", audit]
        options += ["--timeout", f"{TIMEOUT_SECONDS}s"] if self.end == "stop" else []
        if self.mode == "batch":
            return [CIPHER, "batch", *options]
        return [CIPHER, "encrypt", self.algorithm, f"--{self.mode}", *options]

    def input(self) -> bytes:
        """Return its stdin."""
        if self.mode == "batch":
            requests = [
                {"id": number, "algorithm": self.algorithm, "message": text}
                for number, text in enumerate(self.messages)
            ]
            return "".join(json.dumps(request) + "\n" for request in requests).encode()
        separator = "\n" if self.mode == "lines" else "\0"
        return "".join(text + separator for text in self.messages).encode()

    def expected(self) -> bytes:
        """Return its complete stdout."""
        results = [encrypted(self.algorithm, text) for text in self.messages]
        if self.mode == "batch":
            answers = [
                json.dumps({"id": number, "result": result}, ensure_ascii=False, separators=(",", ":")) + "\n"
                for number, result in enumerate(results)
            ]
            return "".join(answers).encode()
        separator = "\n" if self.mode == "lines" else "\0"
        return "".join(result + separator for result in results).encode()

    def limits(self) -> list[str]:
        """Return a command that sets limits and then runs the program."""
        limits = ["--core=0"]
        limits += [f"--as={self.kibibytes << 10}"] if self.end == "address space" else []
        limits += [f"--fsize={self.file_bytes}"] if self.end == "file size" else []
        return ["prlimit", *limits, "--"]

    def disturb(self, process: subprocess.Popen[bytes]) -> None:
        """Send signals to `process`."""
        time.sleep(self.delay)
        if self.end == "stop":
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(STOP_SECONDS)
            os.kill(process.pid, signal.SIGCONT)
        elif self.end in {"kill", "signal"}:
            os.kill(process.pid, signal.SIGKILL if self.end == "kill" else self.signal)

    def run(self) -> int:
        """Run it, check everything, and return its memory in KiB."""
        for name in ["audit", "out", "err"]:
            (self.directory / name).unlink(missing_ok=True)
        out = Path("/dev/full") if self.end == "full" else self.directory / "out"
        with (
            tempfile.TemporaryFile() as stdin,
            out.open("wb") as stdout,
            (self.directory / "err").open("wb") as stderr,
        ):
            stdin.write(self.input())
            stdin.seek(0)
            process = subprocess.Popen(
                [*self.limits(), *self.command()],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=environment(self.directory),
                start_new_session=True,
            )
            self.disturb(process)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        expect(not leftovers(process.pid), "a process is left")
        self.check(process.returncode)
        return usage.ru_maxrss

    def check(self, status: int) -> None:
        """Expect a correct prefix, its events, and a reason."""
        errors = (self.directory / "err").read_text(errors="replace")
        expect("panicked" not in errors and "crashed" not in errors, f"it panics: {errors}")
        expected, found = self.expected(), self.found()
        expect(expected.startswith(found), "the output is not a correct prefix")
        separator = b"\0" if self.mode == "null" else b"\n"
        whole = found.count(separator)
        if self.end != "audit full":
            recorded = events(self.directory / "audit")
            expect(recorded == list(range(1, len(recorded) + 1)), "the events are not in order")
            expect(len(recorded) >= whole, "an event is missing")
        finished = found == expected
        wanted = {
            "itself": [0],
            "stop": [0],
            "kill": [0, -signal.SIGKILL],
            "signal": [0, ENDING[self.signal]],
            "address space": [0, 6],
            "file size": [0, 6],
            "full": [6] if self.messages else [0, 6],
            "audit full": [6] if self.messages else [0],
        }[self.end]
        # Until the program catches the signal, it ends like any other process.
        wanted += [-self.signal] if self.end == "signal" and not found else []
        expect(status in wanted, f"it ends with {status}: {errors[-500:]}")
        expect(finished or status != 0 or self.end in {"full"}, "it lost a result")
        expect(
            status != 6 or errors.rstrip("\n").split("\n")[-1].startswith("error: "), f"no reason: {errors}"
        )
        if self.end == "signal" and status == ENDING[self.signal]:
            expect(found.endswith(separator) or not found, "the last record is not whole")

    def found(self) -> bytes:
        """Return what it wrote."""
        return b"" if self.end == "full" else (self.directory / "out").read_bytes()


class LongRun:
    """One run of requests for all guests."""

    def __init__(self, directory: Path) -> None:
        """Start it."""
        self.names = sorted(path.stem for path in GUESTS.glob("*.toml"))
        self.sizes: list[tuple[float, int]] = []
        self.answers = 0
        self.problem = ""
        command = [
            CIPHER,
            "batch",
            "-q",
            "-j2",
            "--timeout",
            f"{TIMEOUT_SECONDS}s",
            "--max-memory",
            "16MiB",
            "--max-message",
            "1MiB",
        ]
        self.over = threading.Event()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment(directory), "CIPHER_GUESTS": str(GUESTS)},
            start_new_session=True,
        )
        self.threads = [threading.Thread(target=task) for task in (self.feed, self.read)]
        for thread in self.threads:
            thread.start()

    def requests(self) -> Iterator[tuple[str, str]]:
        """Yield an algorithm and a message for each request."""
        chance = random.Random(SEED)  # noqa: S311
        while True:
            yield from [(chance.choice(["Caesar", "Vigenere"]), text) for text in texts(chance, 100)]
            yield chance.choice(self.names), "a"

    def feed(self) -> None:
        """Write requests until it is over."""
        assert self.process.stdin  # noqa: S101
        with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
            for number, (algorithm, text) in enumerate(self.requests()):
                if self.over.is_set():
                    break
                request = {"id": number, "algorithm": algorithm, "message": text}
                stdin.write(json.dumps(request).encode() + b"\n")

    def read(self) -> None:
        """Check every answer."""
        assert self.process.stdout  # noqa: S101
        for (number, (algorithm, text)), line in zip(
            enumerate(self.requests()), self.process.stdout, strict=False
        ):
            answer = json.loads(line)
            is_honest = algorithm in {"Caesar", "Vigenere"}
            if answer.get("id") != number or (
                is_honest and answer.get("result") != encrypted(algorithm, text)
            ):
                self.problem = self.problem or f"request {number} to {algorithm}: {line[:500]!r}"
            self.answers += 1

    def measure(self) -> None:
        """Note its memory."""
        expect(self.process.poll() is None, f"the long run ended with {self.process.returncode}")
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        self.sizes.append((time.monotonic(), int(resident.split()[1])))

    def end(self) -> None:
        """End it, and expect that its memory did not grow."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        expect(self.process.wait() in {0, 3}, f"the long run ends with {self.process.returncode}")
        expect(not self.problem, self.problem)
        quarter = self.sizes[0][0] + (self.sizes[-1][0] - self.sizes[0][0]) / 4
        early = max(size for at, size in self.sizes if at <= quarter)
        late = max(size for at, size in self.sizes if at > quarter)
        print(f"{self.answers} requests in the long run; memory at most {early} KiB, then {late} KiB")
        expect(late <= early + GROWTH_KIB, "the memory of the long run grows")


def cache_files(directory: Path) -> list[Path]:
    """Return the files of the cache."""
    return [path for path in (directory / "cache/cipher").glob("*") if path.is_file()]


def main() -> None:
    """Run until the time is over."""
    if not any(GUESTS.glob("*.toml")):
        raise SystemExit(f"scripts/test/endurance.py: no guests in '{GUESTS}'")
    directory = Path(tempfile.mkdtemp(prefix="endurance"))
    (directory / "tmp").mkdir()
    ends: Counter[str] = Counter()
    memory: list[int] = []
    files = 0
    finish = time.monotonic() + SECONDS
    long_run = LongRun(directory)
    try:
        while time.monotonic() < finish and not long_run.problem:
            run = Run(SEED + ends.total(), directory)
            try:
                memory.append(run.run())
                long_run.measure()
            except BrokenError as broken:
                raise SystemExit(
                    f"scripts/test/endurance.py: {run.description}: {broken}; see {directory}"
                ) from None
            ends[run.end] += 1
            if ends.total() == 100:
                files = len(cache_files(directory))
        long_run.end()
        expect(not list((directory / "tmp").iterdir()), "temporary files are left")
    except BrokenError as broken:
        raise SystemExit(f"scripts/test/endurance.py: {broken}; see {directory}") from None
    finally:
        long_run.over.set()
    counts = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    print(f"{ends.total()} short runs ({counts}); memory at most {max(memory)} KiB")
    left = cache_files(directory)
    size = sum(path.stat().st_size for path in left)
    print(f"cache: {files} files after 100 runs, {len(left)} at the end, {size >> 20} MiB")
    shutil.rmtree(directory)


main()
