"""Time a step through memory in the small hypervisor, with the guest's pages of 4 KiB and of 2 MiB."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

from grader.experiments.stage import Stage

HERE = Path(__file__).resolve().parent
EXIT_METER = HERE.parent / "exit-meter" / "exit_meter.py"
STEPS, REPEATS = 400_000, 5
# Imitated processors take a hundred times as long for a step.
STEPS_IMITATED = 80_000


def measure(stage: Stage) -> None:
    """Walk through more and more pages; the last and longest walk gives the measures."""
    by = stage.imitated_by
    words = ["--json", "--steps", str(STEPS_IMITATED if by else STEPS), "--repeat", str(REPEATS)]
    text = stage.program(HERE / "page_walk.py", *words, modules=[EXIT_METER], timeout=300).stdout
    stage.evidence("page-walk.json", text)
    rows = json.loads(text)["rows"]
    table = []
    for row in rows:
        small, large = (statistics.median(row["nanoseconds"][name]) for name in ("4k", "2m"))
        table.append({"pages": row["pages"], "kib": row["kib"], "small": small, "large": large})
    stage.table("steps", table)
    last = rows[-1]
    stage.measure("step-4k", last["nanoseconds"]["4k"], emulator=by)
    stage.measure("step-2m", last["nanoseconds"]["2m"], emulator=by)
    ratio = table[-1]["small"] / table[-1]["large"]
    stage.note("ratio", pages=last["pages"], ratio=f"{ratio:.2g}")
    if by:
        stage.note("imitated", emulator=by)
