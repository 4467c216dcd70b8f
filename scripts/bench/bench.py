"""Measures complete runs of `cipher` and of comparable tools, and prints a Markdown table.

A command and its peer take turns in several rounds. Times are medians of the rounds, measured by hyperfine,
and a ratio is the median of their ratios. Page faults and peak memory are counted by the system (GNU time).

Usage: bench.py [--quick]
"""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[2]
GUESTS = ROOT / "target/guests"
AGE = ROOT / "target/examples/age/Age.wasm"
LOOP = Path(__file__).with_name("vigenere_loop.py")
CIPHER = os.environ["CIPHER"]
COMPONENTIZE = ROOT / ".tools/venv/bin/componentize-py"
# The interpreter itself, not a shim that searches for it.
PYTHON = os.path.realpath(sys.executable)
TEXT = "Hello, World!"
PROSE = "It was the best of times, it was the worst of times; it was the age of wisdom. "
LINE = "The quick brown fox jumps over the lazy dog, 0123456789 and so\n"


@dataclass
class Command:
    """A program with its arguments, its input file, and the file that it writes, if any."""

    arguments: list[str]
    stdin: Path | None = None
    output: Path | None = None


def cipher(*arguments: str, stdin: Path | None = None, audit: Path | None = None) -> Command:
    """Return a run of `cipher`."""
    audit_file = ["--audit-file", str(audit)] if audit else []
    return Command([CIPHER, *arguments, *audit_file], stdin, audit)


def medians(commands: list[Command], rounds: int, runs: int) -> list[list[float]]:
    """Time commands with the same input; return the median seconds of each, by round.

    The load of a machine varies, so only times of the same round are compared.
    """
    return [round_of(commands, runs) for _ in range(rounds)]


def round_of(commands: list[Command], runs: int) -> list[float]:
    """Time commands with the same input in turn; repeated ones with a warm-up."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        stdin, output = commands[0].stdin, commands[0].output
        subprocess.run(
            ["hyperfine", "-N", "--style=none", f"--warmup={min(runs - 1, 1)}", f"--runs={runs}"]
            + [f"--export-json={report.name}", "--output=null"]
            + ([f"--input={stdin}"] if stdin else [])
            + (["--prepare", f"rm -f {quote(str(output))}"] if output else [])
            + [" ".join(map(quote, command.arguments)) for command in commands],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        results = json.loads(Path(report.name).read_text(encoding="utf-8"))["results"]
    return [statistics.median(result["times"]) for result in results]


def quote(argument: str) -> str:
    """Quote for hyperfine, which splits a command like a shell."""
    return "'" + argument.replace("'", "'\\''") + "'"


def account(command: Command) -> tuple[int, float]:
    """Run once and return its minor page faults and its peak memory in MiB.

    GNU time is small: the peak memory of a process includes that of its parent at the start.
    """
    with (
        (command.stdin or Path(os.devnull)).open("rb") as stdin,
        tempfile.NamedTemporaryFile() as report,
    ):
        subprocess.run(
            ["time", "--format=%R %M", f"--output={report.name}", *command.arguments],
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        faults, kib = Path(report.name).read_text(encoding="utf-8").split()
    return int(faults), int(kib) / 1024


class Table:
    """The rows measured so far."""

    def __init__(self) -> None:
        """Start with the heading."""
        self.rows = [
            "| work | cipher | peer | ratio |",
            "|---|---|---|---|",
        ]

    def compare(self, work: str, ours: Command, peer: Command, name: str, rounds: int, runs: int) -> None:
        """Time both and add a row."""
        times = medians([ours, peer], rounds, runs)
        own, other = (milliseconds(statistics.median(column)) for column in zip(*times, strict=True))
        ratio = statistics.median(own / other for own, other in times)
        self.rows.append(f"| {work} | {own} | {name} {other} | {ratio:.2f} |")

    def rate(self, work: str, ours: Command, records: int, rounds: int) -> None:
        """Time a run over many records and add a row."""
        own = statistics.median(own for (own,) in medians([ours], rounds, 1))
        self.rows.append(f"| {work} | {records / own:,.0f} records/s | | |")

    def rates(self, work: str, ours: Command, peer: Command, name: str, records: int, rounds: int) -> None:
        """Time two runs over many records and add a row."""
        times = medians([ours, peer], rounds, 1)
        own, other = (records / statistics.median(column) for column in zip(*times, strict=True))
        ratio = statistics.median(other / own for own, other in times)
        self.rows.append(f"| {work} | {own:,.0f} records/s | {name} {other:,.0f} records/s | {ratio:.2f} |")

    def memory(self, work: str, ours: Command) -> None:
        """Count page faults and peak memory and add a row, if GNU time is installed."""
        if not shutil.which("time"):
            return
        faults, mebibytes = account(ours)
        self.rows.append(f"| {work} | {faults} page faults, {mebibytes:.1f} MiB | | |")


def milliseconds(seconds: float) -> str:
    """Show a duration with three significant digits."""
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 100 else f"{value:.2f} ms"


def write_repeated(path: Path, text: str, size: int) -> Path:
    """Fill a file with `text`, repeated up to `size` bytes."""
    block = (text * (size // len(text) + 1)).encode()[:size]
    path.write_bytes(block)
    return path


def wasmtime_command(guest: str, work: Path) -> Command | None:
    """Return the same call with the wasmtime CLI, if the same version is installed.

    The CLI provides no audit log, so the component is composed with one that drops every event.
    """
    version = subprocess.run([CIPHER, "--version"], check=True, capture_output=True, text=True)
    wanted = version.stdout.split("wasmtime ")[1].rstrip(")\n")
    tools = [shutil.which("wasmtime"), shutil.which("wasm-tools")]
    if not all(tools):
        return None
    found = subprocess.run(["wasmtime", "--version"], check=True, capture_output=True, text=True)
    if wanted not in found.stdout:
        return None
    silent, joined, machine_code = (
        work / name for name in ("silent.wasm", f"{guest}.wasm", f"{guest}.cwasm")
    )
    run = ["wasm-tools", "parse", str(Path(__file__).with_name("silent_audit_log.wat")), "-o", str(silent)]
    subprocess.run(run, check=True)
    run = ["wasm-tools", "compose", str(GUESTS / f"{guest}.wasm"), "-d", str(silent)]
    subprocess.run([*run, "-o", str(joined)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["wasmtime", "compile", str(joined), "-o", str(machine_code)], check=True)
    call = f'encr("{TEXT}")'
    return Command(["wasmtime", "run", "--allow-precompiled", "--invoke", call, str(machine_code)])


def python_template(work: Path) -> Path:
    """Build the guest that `cipher new` writes in Python, and return its component."""
    project, component = work / "atbash", work / "atbash/Atbash.wasm"
    new = [CIPHER, "new", "Atbash", "--language", "python", str(project)]
    subprocess.run(new, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # In a directory of their own, because componentize-py packs the whole directory.
    (project / "sources").mkdir()
    for source in ("app.py", "cipher.py"):
        shutil.copy(project / source, project / "sources")
    world = ["-d", str(project / "wit"), "-w", "encoder-decoder-service"]
    output = ["-p", str(project / "sources"), "-o", str(component)]
    build = [str(COMPONENTIZE), *world, "componentize", "app", *output]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([CIPHER, "encrypt", "-q", str(component), TEXT], check=True, stdout=subprocess.DEVNULL)
    return component


def tr(stdin: Path) -> Command:
    """Return the Caesar cipher in `tr`."""
    return Command(["tr", "A-Za-z", "D-ZA-Cd-za-c"], stdin)


def main() -> None:
    """Measure everything and print the table."""
    quick = "--quick" in sys.argv[1:]
    rounds, calls = (2, 10) if quick else (15, 20)
    table = Table()
    # On a disk: TMPDIR may be a small tmpfs.
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as directory:
        work = Path(directory)
        short = work / "short.txt"
        short.write_text(TEXT, encoding="utf-8")
        measure_calls(table, short, work, rounds, calls)
        measure_age(table, short, work, rounds, calls)
        measure_streams(table, work, min(rounds, 5))
        measure_records(table, work, min(rounds, 5))
    heading = f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}"
    print(f"Measured on {heading}.\n")
    print("\n".join(table.rows))


def measure_calls(table: Table, short: Path, work: Path, rounds: int, runs: int) -> None:
    """Measure one call of each guest."""
    caesar, vigenere = cipher("encrypt", "Caesar", TEXT), cipher("encrypt", "Vigenere", TEXT)
    stdin_caesar = cipher("encrypt", "Caesar", stdin=short)
    table.compare("Caesar, one call", stdin_caesar, tr(short), "`tr`", rounds, runs)
    stdin_vigenere = cipher("encrypt", "Vigenere", stdin=short)
    table.compare("Vigenere, one call", stdin_vigenere, tr(short), "`tr`", rounds, runs)
    template = cipher("encrypt", str(python_template(work)), TEXT)
    table.compare("Python template, one call", template, vigenere, "Vigenere", rounds, runs)
    loop = [str(LOOP), TEXT]
    table.compare("Vigenere, one call", vigenere, Command([PYTHON, *loop]), "`python3`", rounds, runs)
    # The fastest start: without the environment and installed packages.
    bare = Command([PYTHON, "-I", "-S", *loop])
    table.compare("Vigenere, one call", vigenere, bare, "`python3 -I -S`", rounds, runs)
    for name, ours in (("Caesar", caesar), ("Vigenere", vigenere)):
        peer = wasmtime_command(name, work)
        if peer:
            table.compare(f"{name}, one call", ours, peer, "`wasmtime run`", rounds, runs)
    table.memory("Caesar, one call", caesar)
    table.memory("Vigenere, one call", vigenere)


def measure_age(table: Table, short: Path, work: Path, rounds: int, runs: int) -> None:
    """Measure the age guest, against the `age` command if that is installed."""
    settings = tomllib.loads(AGE.with_suffix(".toml").read_text(encoding="utf-8"))["settings"]
    recipient, key = settings["AGE_RECIPIENT"]["example"], work / "key.txt"
    key.write_text(settings["AGE_IDENTITY"]["example"], encoding="utf-8")
    encrypt = ["encrypt", str(AGE), "--set", f"AGE_RECIPIENT={recipient}"]
    secret = work / "secret.age"
    with secret.open("wb") as output:
        subprocess.run([CIPHER, *encrypt, "--quiet", TEXT], check=True, stdout=output)
    if shutil.which("age"):
        peer = Command(["age", "--encrypt", "--armor", "-r", recipient])
        table.compare("Age, encrypt, one call", cipher(*encrypt, stdin=short), peer, "`age`", rounds, runs)
        decrypt = cipher("decrypt", str(AGE), "--set-file", f"AGE_IDENTITY={key}", stdin=secret)
        peer = Command(["age", "--decrypt", "-i", str(key)])
        table.compare("Age, decrypt, one call", decrypt, peer, "`age`", rounds, runs)
    records = 20_000
    file = write_repeated(work / "some.txt", LINE[:-1] + "\0", records * len(LINE))
    ours = cipher(*encrypt, "--null", "-j", "1", stdin=file, audit=work / "audit.log")
    table.rate(f"Age, encrypt, {records:,} records, `-j 1`", ours, records, min(rounds, 5))


def measure_streams(table: Table, work: Path, rounds: int) -> None:
    """Measure long messages."""
    for size, label in ((100 << 20, "100 MB"), (1000 << 20, "1 GB")):
        file = write_repeated(work / "stream.txt", PROSE, size)
        ours = cipher("encrypt", "Caesar", stdin=file)
        table.compare(f"Caesar, {label}", ours, tr(file), "`tr`", rounds, 1)
        table.memory(f"Caesar, {label}", ours)
    file = write_repeated(work / "stream.txt", PROSE, 16 << 20)
    ours = cipher("encrypt", "Vigenere", stdin=file)
    loop = Command([PYTHON, str(LOOP)], file)
    table.compare("Vigenere, 16 MB", ours, loop, "`python3`", rounds, 1)
    table.memory("Vigenere, 16 MB", ours)


def measure_records(table: Table, work: Path, rounds: int) -> None:
    """Measure many short messages."""
    audit = work / "audit.log"
    million, some = 1_000_000, 20_000
    file = write_repeated(work / "lines.txt", LINE, million * len(LINE))
    loop = Command([PYTHON, str(LOOP), "--lines", str(audit)], file, audit)
    for guest, name, peer in (("Caesar", "`tr`", tr(file)), ("Vigenere", "`python3`", loop)):
        work_name = f"{guest}, {million:,} lines"
        one, two = (cipher("encrypt", guest, "--lines", "-j", n, stdin=file, audit=audit) for n in ("1", "2"))
        table.rates(f"{work_name}, `-j 1`", one, peer, name, million, rounds)
        table.rates(f"{work_name}, `-j 2`", two, one, "`-j 1`", million, rounds)
    plain = ["encrypt", "Caesar", "--lines", "-j", "1"]
    ours, peer = (cipher(*plain, *more, stdin=file, audit=audit) for more in (["--verify"], []))
    work_name = f"Caesar, {million:,} lines, `-j 1 --verify`"
    table.compare(work_name, ours, peer, "without `--verify`", rounds, 1)
    file = write_repeated(work / "some.txt", LINE, some * len(LINE))
    for guest in ("Caesar", "Vigenere"):
        ours = cipher("encrypt", guest, "--lines", "-j", "1", "--isolate", stdin=file, audit=audit)
        table.rate(f"{guest}, {some:,} lines, `-j 1 --isolate`", ours, some, rounds)
    file = write_repeated(work / "lines.txt", LINE, 1000 << 20)
    for jobs in ("1", "8"):
        ours = cipher("encrypt", "Caesar", "--lines", "-j", jobs, stdin=file, audit=audit)
        table.memory(f"Caesar, 1 GB of lines, `-j {jobs}`", ours)


if __name__ == "__main__":
    main()
