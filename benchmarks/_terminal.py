"""A student at a terminal: tmux, a shell in it, and keys; what is typed is all that happens."""

from __future__ import annotations

import contextlib
import re
import secrets
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from domains import process, wait
from domains.paths import SHIPPED

_KEYS_SECONDS = 20
_PROMPT = re.compile(r"(\d+):(\d+)> *")
_LONGEST = 200  # letters in one call: people type no faster, and no terminal's buffer runs over


@dataclass(frozen=True)
class Terminal:
    """One shell in tmux; ``done`` gets a line with the status of each command that ended."""

    socket: str
    done: Path

    def run(self, command: str, *, deadline: float = 60) -> int:
        """Type a command and Enter, wait for the prompt, and return its status."""
        before = len(self._ended())
        self.type(command)
        self.press("Enter")
        waiting_for = f"the shell's prompt after: {command[:60]}"
        wait.until(lambda: len(self._ended()) > before, waiting_for=waiting_for, deadline=deadline)
        return int(self._ended()[-1])

    def type(self, text: str) -> None:
        """Type letters as they are."""
        for start in range(0, len(text), _LONGEST):
            self._tmux("send-keys", "-t", "student", "-l", "--", text[start : start + _LONGEST])

    def press(self, *keys: str) -> None:
        """Press named keys: Enter, Escape ..."""
        self._tmux("send-keys", "-t", "student", *keys)

    def screen(self) -> str:
        """Return what the student sees, and what has scrolled away."""
        return self._tmux("capture-pane", "-t", "student", "-p", "-J", "-S", "-2000")

    def shows(self, text: str, *, ignore_case: bool = False, deadline: float = _KEYS_SECONDS) -> None:
        """Wait until a text is on the screen."""

        def is_there() -> bool:
            screen = self.screen()
            return text.lower() in screen.lower() if ignore_case else text in screen

        wait.until(is_there, waiting_for=f"{text!r} on the screen", deadline=deadline)

    def _ended(self) -> list[str]:
        return self.done.read_text(encoding="utf-8").splitlines() if self.done.exists() else []

    def _tmux(self, *words: str) -> str:
        return process.run(["tmux", "-L", self.socket, *words], timeout=_KEYS_SECONDS).stdout


@dataclass(frozen=True)
class Login:
    """A shell on another machine, in the same terminal; its prompt tells a number and a status."""

    terminal: Terminal

    def run(self, command: str, *, deadline: float = 60) -> int:
        """Type a command and Enter, wait for the prompt, and return its status."""
        number, _ = self._prompt()
        self.terminal.type(command)
        self.terminal.press("Enter")
        wait.until(
            lambda: self._prompt()[0] > number,
            waiting_for=f"the prompt of the other machine after: {command[:60]}",
            deadline=deadline,
        )
        return self._prompt()[1]

    def _prompt(self) -> tuple[int, int]:
        """Return number and status of the prompt, if that is the last line that is seen; (0, 0) before."""
        last = next((line for line in reversed(self.terminal.screen().splitlines()) if line.strip()), "")
        told = _PROMPT.fullmatch(last)
        return (int(told[1]), int(told[2])) if told else (0, 0)


def log_in(terminal: Terminal, ssh: str, *, deadline: float = 60) -> Login:
    """Type what logs in to another machine (``ssh``, its options, the machine); return the shell there."""
    shell = "LANG=C.UTF-8 PS1='\\#:$?> ' exec bash --norc --noprofile"
    terminal.type(f"{ssh} -t {shlex.quote(shell)}")
    terminal.press("Enter")
    login = Login(terminal)
    wait.until(lambda: login._prompt()[0] > 0, waiting_for="the other machine's prompt", deadline=deadline)
    return login


@contextlib.contextmanager
def opened(folder: Path, env: Mapping[str, str]) -> Iterator[Terminal]:
    """Own a terminal whose shell starts in a folder and knows ``tdlab``; it is gone when the block ends."""
    programs, done = folder / ".bin", folder / ".done"
    programs.mkdir()
    launcher = programs / "tdlab"
    launcher.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m grader "$@"\n', encoding="utf-8")
    launcher.chmod(0o755)
    socket = f"tdlab-{secrets.token_hex(4)}"
    shell = [
        "env",
        *(f"{name}={value}" for name, value in env.items()),
        f"PATH={programs}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        f"PYTHONPATH={SHIPPED}",
        f"PROMPT_COMMAND=echo $? >>{shlex.quote(str(done))}",
        "PS1=$ ",
        "bash --norc --noprofile",
    ]
    command = " ".join(shlex.quote(one) if index + 1 < len(shell) else one for index, one in enumerate(shell))
    new = ["tmux", "-L", socket, "-f", "/dev/null", "-u", "new-session", "-d", "-s", "student"]
    # tmux stays behind as a daemon: it must not hold our pipes.
    with (folder / ".tmux.log").open("wb") as log:
        process.run([*new, "-x", "160", "-y", "50", "-c", str(folder), command], timeout=30, log=log)
    terminal = Terminal(socket, done)
    try:
        wait.until(done.exists, waiting_for="the shell's first prompt", deadline=30)
        yield terminal
    finally:
        process.run(["tmux", "-L", socket, "kill-server"], timeout=20, check=False)
