"""Run the exit-meter on the host, and keep what it counted."""

from __future__ import annotations

import json
from pathlib import Path

from grader.experiments.stage import Stage

HERE = Path(__file__).resolve().parent
COUNT, REPEATS = 2000, 5
MEANINGS = {"IO": "out", "HLT": "hlt"}


def measure(stage: Stage) -> None:
    """Count the exits of 2,000 `out` and one `hlt`, five times."""
    words = ["--json", "--count", str(COUNT), "--repeat", str(REPEATS)]
    text = stage.program(HERE / "exit_meter.py", *words).stdout
    stage.evidence("exit-meter.json", text)
    found = json.loads(text)
    with_exits = [seconds * 1e3 for seconds in found["seconds"]]
    without = [seconds * 1e3 for seconds in found["loop_without_exits"]["seconds"]]
    stage.measure("exits", found["totals"])
    by = stage.imitated_by
    stage.measure("exit-time", found["microseconds_per_exit"], emulator=by)
    stage.measure("ioctl-time", [found["microseconds_per_ioctl"]], emulator=by)
    stage.measure("loop-with-exits", with_exits, emulator=by)
    stage.measure("loop-without-exits", without, emulator=by)
    rows = [
        {"reason": reason, "count": count, "meaning": MEANINGS.get(reason)}
        for reason, count in found["exits"].items()
    ]
    stage.table("reasons", rows)
    stage.asked(exits=COUNT + 1)
    stage.ran(exits=found["total"])
    exact = all(total == COUNT + 1 for total in found["totals"])
    stage.note("exact" if exact else "inexact", count=COUNT, total=found["total"], expected=COUNT + 1)
    ratio = sorted(with_exits)[REPEATS // 2] / sorted(without)[REPEATS // 2]
    stage.note("cost", ratio=f"{ratio:.0f}")
