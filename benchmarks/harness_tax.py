"""What the harness adds: the same cell by tdlab and by a shell script, in turn.

Throughput (tdlab over bare: 1 is no loss) and the wall time of the whole command (1 is no tax). Needs root,
for the bare script makes a tap of its own.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import _report
from domains import images, process
from domains.errors import UsageError

_BARE = Path(__file__).with_name("bare_cell.sh")
_ROUNDS = 5
_REPEATS = 3
_MODELS = {"virtio": "virtio-net-pci", "e1000": "e1000"}
_MATRIX = """\
workload: {seconds: 1, warmup: 1, repeats: 3, pings: 100}
base: {memory: 192 MiB, accelerator: tcg}
cells: [{id: cell, nic: {model: MODEL}}]
"""


def main() -> None:
    """Measure both ways in turn for each model and print the ratios."""
    image = images.build()
    ratios, figures = {}, {}
    for model, device in _MODELS.items():
        ours: list[float] = []
        bare: list[float] = []
        our_walls, bare_walls = [], []
        for number in range(_ROUNDS):
            rates, seconds = _bare(image, device)
            bare += rates
            bare_walls.append(seconds)
            rates, seconds = _ours(model)
            ours += rates
            our_walls.append(seconds)
            said = f"bare {bare_walls[-1]:.1f} s, tdlab {our_walls[-1]:.1f} s"
            print(f"{model} [{number + 1}/{_ROUNDS}]: {said}", file=sys.stderr)
        ratios[f"{model}_throughput"] = _report.ratio(ours, bare)
        ratios[f"{model}_wall"] = _report.ratio(our_walls, bare_walls)
        figures[model] = {
            "tdlab_s": our_walls,
            "bare_s": bare_walls,
            "tdlab_mbit_s": ours,
            "bare_mbit_s": bare,
        }
    _report.publish("harness_tax", ratios, figures)


def _bare(image: images.GuestImage, device: str) -> tuple[list[float], float]:
    arguments = " ".join(images.KERNEL_ARGUMENTS)
    words = [_BARE, image.kernel, image.initramfs, arguments, device, str(_REPEATS)]
    began = time.monotonic()
    done = process.run(words, timeout=180)
    seconds = time.monotonic() - began
    return [float(line.split()[1]) for line in done.stdout.splitlines()], seconds


def _ours(model: str) -> tuple[list[float], float]:
    with tempfile.TemporaryDirectory() as folder:
        matrix = Path(folder) / "matrix.yaml"
        matrix.write_text(_MATRIX.replace("MODEL", model))
        began = time.monotonic()
        words = [sys.executable, "-m", "grader", "bench", str(matrix), "--out", f"{folder}/out", "--json"]
        done = process.run(words, timeout=180)
        seconds = time.monotonic() - began
    cell = json.loads(done.stdout)["cells"][0]
    if cell["status"] != "measured":
        raise UsageError(f"tdlab could not measure {model}: {cell['cause']}")
    both = (cell["measurements"][f"tcp_{way}"]["samples"] for way in ("to_guest", "from_guest"))
    return [rate for samples in both for rate in samples], seconds
