"""What a user waits: ``tdlab --help`` over ``python -c pass``, and ``tdlab check`` of a whole lab."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import _report
from domains import process
from domains.paths import LABS, SHIPPED
from grader.lab import lab as labs
from grader.submission.samples import samples
from grader.submission.translation import translate

_ROUNDS = 15


def main() -> None:
    """Start all in turn; print the ratio of the first two, and the medians of wall time in seconds."""
    ours, bare, checks = [], [], []
    lab = labs.load(LABS / "r202")
    with tempfile.TemporaryDirectory(prefix="tdlab-startup-") as scratch:
        place = translate(lab, samples(lab)[0], "Zoé", Path(scratch) / "work")
        for _ in range(_ROUNDS):
            bare.append(_seconds([sys.executable, "-c", "pass"]))
            ours.append(_seconds([str(SHIPPED / "tdlab"), "--help"]))
            checks.append(_seconds([str(SHIPPED / "tdlab"), "check", str(place)]))
    figures = {
        "help_s": statistics.median(ours),
        "check_s": statistics.median(checks),
        "python_s": statistics.median(bare),
    }
    print(f"tdlab --help: {figures['help_s']:.3f} s, check: {figures['check_s']:.3f} s", file=sys.stderr)
    _report.publish("startup", {"help": _report.ratio(ours, bare)}, figures)


def _seconds(words: list[str]) -> float:
    began = time.monotonic()
    process.run(words, timeout=60, check=False)
    return time.monotonic() - began
