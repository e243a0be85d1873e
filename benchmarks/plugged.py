"""NICs plugged into one running guest, against a guest booted for each: the same exits, in less time?

``tdlab benchmark plugged`` uses an emulated host, where a boot is what costs most. Ratios are of the plugged
cells to the booted ones, in one run, the two ways in turn.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import _report
from domains import paths
from grader.commands import demo_full
from grader.measure import matrix
from grader.measure.matrix import Matrix
from grader.running.execution import Request, execute

_ROUNDS = 3
_CELLS = ("i82557b", "e1000", "e1000e", "rtl8139", "vmxnet3", "virtio", "virtio-vhost", "vf")
_WAYS = {"booted": False, "plugged": True}


def main() -> None:
    """Measure the same cells both ways and print how exits per megabyte and seconds per cell compare."""
    asked = matrix.load(paths.LABS / "r202" / "matrix.yaml").limited(_CELLS, repeats=1)
    exits: dict[str, dict[str, list[float]]] = {way: {name: [] for name in _CELLS} for way in _WAYS}
    seconds: dict[str, list[float]] = {way: [] for way in _WAYS}
    with demo_full.emulated_host() as host, tempfile.TemporaryDirectory() as folder:
        for number in range(_ROUNDS):
            for way in _WAYS:
                began = time.monotonic()
                _measure(asked, Path(folder, f"{way}-{number}"), host, way, exits[way])
                seconds[way].append((time.monotonic() - began) / len(_CELLS))
    ratios = {"seconds_per_cell": _report.ratio(seconds["plugged"], seconds["booted"])}
    for name in _CELLS:
        ratios[f"exits_per_mb {name}"] = _report.ratio(exits["plugged"][name], exits["booted"][name])
    _report.publish("plugged", ratios, {"exits_per_mb": exits, "seconds_per_cell": seconds})
    medians = {way: statistics.median(samples) for way, samples in seconds.items()}
    print(", ".join(f"{way}: {median:.1f} s a cell" for way, median in medians.items()), file=sys.stderr)


def _measure(asked: Matrix, folder: Path, host: str, way: str, exits: dict[str, list[float]]) -> None:
    request = Request(asked, folder, False, "benchmark", host=host, one_guest=_WAYS[way])
    run = execute(request)
    for name in _CELLS:
        cell = run.cell(name)
        if cell is None or "exits_per_mb" not in cell.measurements:
            raise SystemExit(f"{name} ({way}) was not measured: {cell and cell.cause}")
        exits[name].append(cell.measurements["exits_per_mb"].samples[0])


if __name__ == "__main__":
    main()
