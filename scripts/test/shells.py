"""Tests an installation in real shells, and its manual pages in man: scripts/test/shells.py PREFIX.

In each shell, Tab completes what is typed, and the completed line is printed. Needs bash, zsh, fish, and man.
"""

import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROMPT = "READY: "

# The files in the working directory, which is also the home.
FILES = [
    "requests.jsonl",
    "Mine.wasm",
    "other.log",
    "letter.txt",
    "encrypt/file",
    "sub/deep.jsonl",
    ".local/share/cipher/guests/Mine.wasm",
]
MANIFEST = 'name = "Mine"\ndescription = "Installed"\n'

# The text before Tab, and the line after it.
COMPLETIONS = {
    "cipher encrypt C": "cipher encrypt Caesar",
    "cipher batch req": "cipher batch requests.jsonl",
    "cipher install Mi": "cipher install Mine.wasm",
    "cipher encrypt Caesar --audit-file oth": "cipher encrypt Caesar --audit-file other.log",
    "cipher encrypt Caesar --audit-file=oth": "cipher encrypt Caesar --audit-file=other.log",
    "cipher encrypt Caesar < le": "cipher encrypt Caesar < letter.txt",
    "cipher encrypt Caesar < ": "cipher encrypt Caesar <",
    "cipher en": "cipher encrypt",
    "cipher batch su": "cipher batch sub/",
    "cipher batch sub/": "cipher batch sub/deep.jsonl",
    "cipher encrypt Caesar --set SH": "cipher encrypt Caesar --set SHIFT_AMOUNT=",
    "cipher encrypt Caesar --audit-format=j": "cipher encrypt Caesar --audit-format=json",
    "cipher uninstall Mi": "cipher uninstall Mine",
}
# Keys that move to the start of the line and to its end.
HOME, END = "\x01", "\x05"

# Keeps a failing test from hanging; no result depends on it.
PATIENCE_S = 60


# How each shell is started without any settings of the user.
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}


def set_up(shell: str, share: Path) -> str:
    """Return the commands that load the completions of a shell, and then show the prompt."""
    # The echo of these commands must not look like the prompt.
    prompt = PROMPT[:2] + "''" + PROMPT[2:].strip()
    match shell:
        case "bash":
            return f"set -u; . '{share}/bash-completion/completions/cipher'; PS1={prompt}' '\n"
        case "zsh":
            load = "autoload -U compinit; compinit -D -u"
            return f"fpath=('{share}/zsh/site-functions' $fpath); {load}; PS1={prompt}' '\n"
        case _:
            load = f"source '{share}/fish/vendor_completions.d/cipher.fish'"
            return f"{load}; function fish_prompt; printf '%s ' {prompt}; end\n"


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        """Start it."""
        self._child, self._file = pty.fork()
        if self._child == 0:
            os.chdir(environment["HOME"])
            os.execvpe(command[0], command, environment)  # noqa: S606 - the shells under test
        self._shown = ""
        self._passed = ""
        self._everything = ""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._file, text.encode())

    def wait_for(self, text: str) -> bool:
        """Read and drop output up to `text`; return false if `text` never appears."""
        while text not in self._shown:
            ready, _, _ = select.select([self._file], [], [], PATIENCE_S)
            try:
                more = os.read(self._file, 4096) if ready else b""
            except OSError:  # it has ended
                more = b""
            if not more:
                return False
            self._shown += more.decode(errors="replace")
            self._everything += more.decode(errors="replace")
        self._passed, _, self._shown = self._shown.partition(text)
        return True

    def passed(self) -> str:
        """Return what was shown before the text that was waited for."""
        return self._passed

    def everything(self) -> str:
        """Return everything that was shown."""
        return self._everything

    def shown(self) -> str:
        """Return what was shown after that text."""
        return self._shown

    def end(self) -> None:
        """Hang up."""
        os.close(self._file)
        os.waitpid(self._child, 0)


def try_completion(terminal: Terminal, typed: str, completed: str) -> str | None:
    """Return what is wrong with the completion of a line, if anything."""
    terminal.type(f"{typed}\t")
    # The printed line must differ from the typed one.
    terminal.type(f"{HOME}printf '%s%s %s%s\\n' LINE : '{END}' END\n")
    if not terminal.wait_for("LINE: ") or not terminal.wait_for("END\r\n"):
        return f"no line is printed for {typed!r}: {terminal.shown()[-200:]!r}"
    # Zsh removes the slash after a directory when the line continues.
    if completed not in ((line := terminal.passed().strip()), f"{line}/"):
        return f"{typed!r} becomes {line!r} instead of {completed!r}"
    if not terminal.wait_for(PROMPT):
        return f"there is no prompt after {typed!r}: {terminal.shown()!r}"
    return None


def try_shell(shell: str, prefix: Path) -> str | None:
    """Return what is wrong with the completions of a shell, if anything."""
    with tempfile.TemporaryDirectory() as home:
        for name in FILES:
            path = Path(home) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        (Path(home) / FILES[-1]).with_suffix(".toml").write_text(MANIFEST)
        environment = {
            "HOME": home,
            "LANG": "C.UTF-8",
            "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}",
            "TERM": "xterm",
        }
        terminal = Terminal(SHELLS[shell], environment)
        try:
            terminal.type(set_up(shell, prefix / "share"))
            if not terminal.wait_for(PROMPT):
                return f"it does not start: {terminal.shown()!r}"
            wrong = [try_completion(terminal, *case) for case in COMPLETIONS.items()]
            wrong += ["a variable is unbound"] if "unbound variable" in terminal.everything() else []
        finally:
            terminal.end()
    return "; ".join(filter(None, wrong)) or None


def try_page(page: Path) -> str | None:
    """Return what is wrong with a page of the manual, if anything."""
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "MANWIDTH": "80"}
    man = subprocess.run(
        ["man", "--warnings", "--local-file", str(page)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if man.returncode or man.stderr:
        return f"man says: {man.stderr}"
    return None if "SYNOPSIS" in man.stdout else f"man shows: {man.stdout}"


def main() -> None:
    """Try everything and report what fails."""
    prefix = Path(sys.argv[1]).resolve()
    missing = [name for name in (*SHELLS, "man") if not shutil.which(name)]
    if missing:
        raise SystemExit(f"scripts/test/shells.py: needs {', '.join(missing)}: install what is missing")
    failures = {shell: try_shell(shell, prefix) for shell in SHELLS}
    pages = sorted((prefix / "share/man/man1").glob("cipher*.1"))
    failures |= {page.name: try_page(page) for page in pages}
    if not pages:
        failures["manual"] = "there are no pages"
    wrong = [f"scripts/test/shells.py: {what}: {reason}" for what, reason in failures.items() if reason]
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
