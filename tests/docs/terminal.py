"""The terminals of somebody who follows a page: shells that take one block of commands after the other."""

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

BLOCK_S = 20


class Failed(Exception):
    """A block that did not do what its page says."""


def matches(shown: str, seen: str) -> bool:
    """`...` stands for anything, line breaks among it; blanks at the ends of lines do not count."""
    def tidy(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())
    pattern = re.escape(tidy(shown)).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, tidy(seen), re.DOTALL) is not None


def _heed_interrupts() -> None:
    # Whoever started the tests in the background may have had it ignored, and a shell cannot take that back.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A shell with `set -euo pipefail`. Its directory, variables and functions last from block to block."""

    def __init__(self, directory: Path, environment: dict[str, str], logs: Path) -> None:
        self._logs = logs
        logs.mkdir()
        self._count = 0
        self._stays = False
        self._output = logs
        # What is typed at a program that stays: nothing, and no end of it either.
        self._keyboard, self._keys = os.pipe()
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-s"], cwd=directory, env=environment, start_new_session=True,
            pass_fds=(self._keyboard,), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            preexec_fn=_heed_interrupts)
        self._tell("set -euo pipefail; trap : INT\n")  # Ctrl+C ends what runs, not the shell.

    def run(self, text: str) -> str:
        """What the block printed, on either output."""
        output = self._begin(text, "</dev/null", before="", after="")
        if self._ended():
            return output.read_text()
        raise Failed(f"a command failed; printed:\n{output.read_text()}")

    def run_until(self, text: str, wanted: str) -> str:
        """Runs a block that stays in this terminal; what it printed until `wanted` was there."""
        self._output = self._begin(text, f"<&{self._keyboard}", before="set +e; ", after="set -e; ")
        self._stays = True
        return self._wait(lambda seen: wanted in seen, repr(wanted))

    def wait_for(self, shown: str) -> None:
        """Until the program that stays has printed this, and nothing else."""
        self._wait(lambda seen: matches(shown, seen), shown)

    def interrupt(self) -> None:
        """Ctrl+C."""
        os.killpg(self._shell.pid, signal.SIGINT)
        if not self._ended():
            raise Failed("Ctrl+C ended the shell")
        self._stays = False

    def close(self) -> None:
        """Ends everything that runs here."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._shell.pid, number)
                self._shell.wait(0.2 if number == signal.SIGTERM else BLOCK_S)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        for end in (self._keyboard, self._keys):
            os.close(end)
        self._shell.stdin.close()
        self._shell.stdout.close()

    def _wait(self, enough: Callable[[str], bool], wanted: str) -> str:
        if not self._stays:
            raise Failed("nothing stays in that terminal")
        deadline = time.monotonic() + BLOCK_S
        while not enough(seen := self._output.read_text()):
            if time.monotonic() > deadline or self._says_something(0.02):
                raise Failed(f"did not print {wanted}, but:\n{self._output.read_text()}")
        return seen

    def _tell(self, text: str) -> None:
        self._shell.stdin.write(text.encode())
        self._shell.stdin.flush()

    def _begin(self, text: str, source: str, *, before: str, after: str) -> Path:
        if self._stays:
            raise Failed("a program still runs in this terminal")
        self._count += 1
        script = self._logs / f"{self._count}.sh"
        output = self._logs / f"{self._count}.out"
        script.write_text(text)
        output.touch()
        self._tell(f"{before}{{ . '{script}'; }} {source} >'{output}' 2>&1; {after}echo done\n")
        return output

    def _says_something(self, seconds: float) -> bool:
        return bool(select.select([self._shell.stdout], [], [], seconds)[0])

    def _ended(self) -> bool:
        """Whether the block came to its end, and not the shell."""
        if not self._says_something(BLOCK_S):
            raise Failed(f"took more than {BLOCK_S} s")
        return os.read(self._shell.stdout.fileno(), 64) == b"done\n"
