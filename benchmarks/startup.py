"""What a user waits before anything happens: ``tdlab --help`` by the launcher, over ``python -c pass``."""

from __future__ import annotations

import statistics
import sys
import time

from benchmarks import _report
from domains import process
from domains.paths import SHIPPED

_ROUNDS = 15


def main() -> None:
    """Start both in turn and print the ratio and the median of the help's wall time in seconds."""
    ours, bare = [], []
    for _ in range(_ROUNDS):
        bare.append(_seconds([sys.executable, "-c", "pass"]))
        ours.append(_seconds([str(SHIPPED / "tdlab"), "--help"]))
    figures = {"help_s": statistics.median(ours), "python_s": statistics.median(bare)}
    print(f"tdlab --help: {figures['help_s']:.3f} s", file=sys.stderr)
    _report.publish("startup", {"help": _report.ratio(ours, bare)}, figures)


def _seconds(words: list[str]) -> float:
    began = time.monotonic()
    process.run(words, timeout=60)
    return time.monotonic() - began
