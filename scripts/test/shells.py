"""Types into real shells, and opens the manual, of what is installed: scripts/test/shells.py PREFIX.

In each shell, Tab has to make `cipher encrypt C` a call of Caesar. Needs bash, zsh, fish and man.
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
TYPED = "cipher encrypt C\tHello\n"
EXPECTED = "Khoor"

# It keeps a test that fails from hanging, and decides nothing.
PATIENCE_S = 60


# How each shell is started without any settings of the user.
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}


def set_up(shell: str, share: Path) -> str:
    """Return the commands that load what is installed for a shell, and then show the prompt."""
    # Its echo must not be taken for the prompt.
    prompt = PROMPT[:2] + "''" + PROMPT[2:].strip()
    match shell:
        case "bash":
            return f". '{share}/bash-completion/completions/cipher'; PS1={prompt}' '\n"
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

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._file, text.encode())

    def wait_for(self, text: str) -> bool:
        """Read what is shown until `text` is, and forget it up to there; false if it never is."""
        while text not in self._shown:
            ready, _, _ = select.select([self._file], [], [], PATIENCE_S)
            try:
                more = os.read(self._file, 4096) if ready else b""
            except OSError:  # it has ended
                more = b""
            if not more:
                return False
            self._shown += more.decode(errors="replace")
        self._shown = self._shown.partition(text)[2]
        return True

    def shown(self) -> str:
        """Return what was shown since."""
        return self._shown

    def end(self) -> None:
        """Hang up."""
        os.close(self._file)
        os.waitpid(self._child, 0)


def try_shell(shell: str, prefix: Path) -> str | None:
    """Return what is wrong with the completions of a shell, if anything."""
    with tempfile.TemporaryDirectory() as home:
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
            terminal.type(TYPED)
            if not terminal.wait_for(EXPECTED):
                return f"{TYPED!r} does not lead to {EXPECTED!r}: {terminal.shown()!r}"
        finally:
            terminal.end()
    return None


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
    """Try everything and tell what fails."""
    prefix = Path(sys.argv[1]).resolve()
    missing = [name for name in (*SHELLS, "man") if not shutil.which(name)]
    if missing:
        raise SystemExit(f"scripts/test/shells.py: needs {', '.join(missing)}: install what is missing")
    failures = {shell: try_shell(shell, prefix) for shell in SHELLS}
    pages = sorted((prefix / "share/man/man1").glob("cipher*.1"))
    failures |= {page.name: try_page(page) for page in pages}
    if not pages:
        failures["manual"] = "there is none"
    wrong = [f"scripts/test/shells.py: {what}: {reason}" for what, reason in failures.items() if reason]
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
