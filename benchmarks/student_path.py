"""A whole lab done at a terminal, by typing what a student types, from start to finish.

Once with right answers, which must end with full marks, and once with wrong ones, which must lose exactly
what the lab's wrong samples say. ``--lab first-vm`` is short enough for software emulation.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks._student import Way, go
from grader.lab import lab as labs
from grader.results.score import OUT_OF, lost, mark


def main(words: Sequence[str] = ()) -> int:
    """Walk a lab twice, print what each way ended with, and return 1 when one ended elsewhere."""
    parser = argparse.ArgumentParser(prog="student_path", description=__doc__)
    parser.add_argument("--lab", default="first-vm")
    parser.add_argument("--host", help="measure on this lab host (tdlab host list)")
    parser.add_argument("--no-experiments", action="store_true", help="leave `tdlab measure` out")
    parser.add_argument("--way", choices=["right", "wrong"], help="go only this way")
    parser.add_argument("bench", nargs="*", help="options for `tdlab bench`, after --")
    asked = parser.parse_args([*words])
    lab = labs.load(labs.find(asked.lab))
    way = Way(lab, asked.host, tuple(asked.bench), not asked.no_experiments)
    figures, good = {}, True
    for name, right in (("right", True), ("wrong", False)):
        if asked.way not in {None, name}:
            continue
        with tempfile.TemporaryDirectory(prefix="tdlab-student-") as folder:
            began = time.monotonic()
            graded, loses = go(way, Path(folder), right=right)
            seconds = round(time.monotonic() - began, 1)
        gone = set(lost(graded.questions))
        good = good and gone == loses
        open_ = [one.id for one in graded.questions if one.outcome in {"inconclusive", "error"}]
        figures[name] = {
            "score": graded.score,
            "max": graded.max,
            "mark": mark(graded),
            "lost": sorted(gone),
            "expected": sorted(loses),
            "open": open_,
            "seconds": seconds,
        }
        said = f"{graded.score:g}/{graded.max:g} points, {mark(graded)}/{OUT_OF}"
        print(f"{name}: {said}, lost {sorted(gone)}, {seconds} s", file=sys.stderr)
    document_ = {"schema": "tdlab.benchmark/1", "name": "student_path", "ratios": {}, "figures": figures}
    print(json.dumps(document_, ensure_ascii=False))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
