"""How much the exits per megabyte of the same cells vary over runs on an emulated host (cv).

``tdlab benchmark repeatability`` makes a host of its own name and ends it; each run boots its guests anew.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks import _report
from domains import paths
from grader.commands import demo_full
from grader.measure import matrix
from grader.running.execution import Request, execute

_RUNS = 5
_CELLS = ("e1000", "virtio", "vf")


def main() -> None:
    """Measure the cells in several runs and print how exits per megabyte vary."""
    asked = matrix.load(paths.LABS / "r202" / "matrix.yaml").limited(_CELLS, repeats=1, seconds=5)
    found: dict[str, list[float]] = {name: [] for name in _CELLS}
    with demo_full.emulated_host() as host, tempfile.TemporaryDirectory() as folder:
        for number in range(_RUNS):
            run = execute(Request(asked, Path(folder, str(number)), False, "benchmark", host=host))
            for name in _CELLS:
                cell = run.cell(name)
                if cell is None or "exits_per_mb" not in cell.measurements:
                    raise SystemExit(f"{name} was not measured: {cell and cell.cause}")
                found[name].append(cell.measurements["exits_per_mb"].samples[0])
    figures = {
        name: {"exits_per_mb": samples, "cv": round(statistics.stdev(samples) / statistics.mean(samples), 4)}
        for name, samples in found.items()
    }
    for name, one in figures.items():
        print(f"{name:32} cv {one['cv']:.3f}", file=sys.stderr)
    _report.publish("repeatability", {}, figures)


if __name__ == "__main__":
    main()
