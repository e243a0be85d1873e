"""The phases of set-up: programs run side by side, told in one line each, their output kept in a log."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domains import process, wait
from domains.errors import InfrastructureError

# How apt, pip and Python say that there is no way to the network.
_NO_NETWORK = re.compile(
    r"Temporary failure (in name resolution|resolving)|Could not (resolve|connect)|Network is unreachable"
    r"|Failed to establish a new connection|NameResolutionError|No route to host"
)


@dataclass(frozen=True)
class Step:
    """One program to run: what it is for (as a person would say it), its words, its environment."""

    title: str
    argv: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 1800


def say(sentence: str) -> None:
    """Tell the user something on stderr; stdout belongs to the command that was asked for."""
    print(f"tdlab: {sentence}", file=sys.stderr, flush=True)


class Phases:
    """Runs steps, one phase after another; remembers how many seconds each took and which succeeded."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.timings: list[tuple[str, float]] = []
        self.succeeded: set[str] = set()

    def side_by_side(self, *steps: Step) -> dict[str, Path]:
        """Run steps at the same time until all have ended; return title → log.

        Raises :class:`InfrastructureError` for the first that failed, with the end of its output.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        logs = {step.title: self._log(step) for step in steps}
        for step in steps:
            say(f"{step.title} ...")
        with contextlib.ExitStack() as stack:
            running = {}
            for step in steps:
                log = stack.enter_context(logs[step.title].open("wb"))
                running[step.title] = stack.enter_context(process.started(step.argv, env=step.env, log=log))
            began = time.monotonic()
            left = {step.title: step for step in steps}

            def ended() -> bool:
                for title in [title for title in left if running[title].poll() is not None]:
                    self.timings.append((title, time.monotonic() - began))
                    del left[title]
                return not left

            wait.until(ended, waiting_for=" and ".join(logs), deadline=max(step.timeout for step in steps))
        failed = [step for step in steps if running[step.title].returncode != 0]
        self.succeeded |= {step.title for step in steps if step not in failed}
        if failed:
            raise explain(failed[0].title, logs[failed[0].title])
        return logs

    def table(self) -> str:
        """Return the phases and their seconds as lines of text; those that ran side by side overlap."""
        return "\n".join(f"  {seconds:6.1f} s  {title}" for title, seconds in self.timings)

    def _log(self, step: Step) -> Path:
        return self.logs / f"{re.sub(r'[^a-z0-9]+', '-', step.title.lower())[:50].strip('-')}.log"


def explain(title: str, log: Path, lines: int = 25) -> InfrastructureError:
    """Return the error for a step that failed: one sentence, a remedy, and the end of its log."""
    text = log.read_text(errors="replace")
    if _NO_NETWORK.search(text):
        return InfrastructureError(
            f"{title}: the network cannot be reached (set-up fetches from the Debian archive and from PyPI)",
            remedy=f"connect this machine, then run the same command again; the whole log is {log}",
        )
    tail = "\n".join(f"  | {line}" for line in text.strip().splitlines()[-lines:])
    return InfrastructureError(f"{title}: failed\n{tail}", remedy=f"the whole log is {log}")
