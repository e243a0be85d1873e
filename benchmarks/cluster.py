"""Two workers of Dask's against one, on this machine and with the same class; and the same bytes from both.

Turns alternate, so that what else runs here slows both. What is compared is grading, from the first batch to
the last grade; beside it the same with the start of the workers, and the whole command, which takes the class
in and writes the markbook besides.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import _classes, _measured, _report
from domains.errors import UsageError
from domains.paths import LABS
from grader.classroom import intake
from grader.classroom.policy import Policy
from grader.cluster import session
from grader.cluster.address import Local
from grader.grading.class_items import Row
from grader.lab import lab as labs
from grader.lab.lab import Lab

_LAB = LABS / "r202"
_STUDENTS, _ROUNDS = 1000, 3
_TARGET = 1.7


def main(words: list[str]) -> None:
    """Grade a class of ``--students N`` (1000) by one worker and by two, ``--rounds N`` (3) times each."""
    students, rounds = _options(words)
    lab = labs.load(_LAB)
    took: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    commands: dict[int, float] = {}
    with tempfile.TemporaryDirectory(prefix="tdlab-benchmark-") as scratch:
        folder = Path(scratch)
        source = _classes.synthetic(lab, students, folder / "class.zip")
        roster = intake.take_in(source, lab, folder, Policy())
        rows = [Row(one.key, str(folder / one.attempts[0].kept)) for one in roster.students]
        seen = set()
        for turn in range(rounds):
            for workers in (1, 2) if turn % 2 == 0 else (2, 1):
                *seconds, said = _graded(lab, rows, workers, folder)
                took[workers].append((seconds[0], seconds[1]))
                seen.add(said)
                rate = f"{seconds[0]:.1f} s, {students / seconds[0]:.0f} students a second"
                print(
                    f"{f'{workers} workers':32} {rate}; {seconds[1]:.1f} s with their start", file=sys.stderr
                )
        for workers in (1, 2):
            into = folder / f"book-{workers}"
            arguments = ["grade", _LAB, source, "--into", into, "--cluster", f"local:{workers}"]
            commands[workers] = _measured.run(arguments).wall
    assert len(seen) == 1, "two workers gave other bytes than one"
    _told(students, took, commands)


def _options(words: list[str]) -> tuple[int, int]:
    known = {"--students": _STUDENTS, "--rounds": _ROUNDS}
    for name, value in zip(words[::2], words[1::2], strict=False):
        if name not in known or not value.isdecimal():
            break
        known[name] = int(value)
    else:
        if len(words) % 2 == 0:
            return known["--students"], known["--rounds"]
    raise UsageError(f"not understood: {' '.join(words)}", remedy=f"write --students {_STUDENTS} --rounds 3")


def _graded(lab: Lab, rows: list[Row], workers: int, folder: Path) -> tuple[float, float, int]:
    """Return the seconds that grading took, those with the start of the workers, and a hash of all grades."""
    ready: list[float] = []
    began = time.monotonic()
    done = session.class_graded(
        lab, rows, where=Local(workers), folder=folder, say=lambda _: ready.append(time.monotonic())
    )
    with done as grades:
        ended = time.monotonic()
        said = hash(b"\n".join(grades))
    return ended - ready[0], ended - began, said


def _told(students: int, took: dict[int, list[tuple[float, float]]], commands: dict[int, float]) -> None:
    ratios: dict[str, Any] = {
        "grading": _report.ratio([one for one, _ in took[1]], [one for one, _ in took[2]]),
        "with the start of the workers": _report.ratio(
            [one for _, one in took[1]], [one for _, one in took[2]]
        ),
    }
    whole = commands[1] / commands[2]
    said = f"{whole:.3f}  ({commands[1]:.1f} s, {commands[2]:.1f} s; once)"
    print(f"{'the whole command':32} {said}", file=sys.stderr)
    found = ratios["grading"]["ratio"]
    verdict = "reached" if found >= _TARGET else "NOT reached"
    print(f"{f'at least {_TARGET} times':32} {verdict}: {found}", file=sys.stderr)
    figures = {
        "students": students,
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg()[0],
        "grading_s": {str(one): [round(value, 2) for value, _ in took[one]] for one in took},
        "with_start_s": {str(one): [round(value, 2) for _, value in took[one]] for one in took},
        "command_s": {str(one): round(value, 2) for one, value in commands.items()},
        "target": _TARGET,
        "same_bytes": True,
    }
    _report.publish("cluster", ratios, figures)
