"""How quickly a spec becomes validated XML; beside it, ``virt-install --print-xml`` for the same guest.

Both are measured in turns, in one run. virt-install starts an interpreter and asks libvirt what it can do
each time, tdlab renders inside one process: the ratio says what a caller waits, not who writes better XML.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

from domains import catalogue, process, validate
from domains.render import render
from domains.spec import DomainSpec

ROUNDS = 5
SPEC = DomainSpec.model_validate(
    {
        "accelerator": "tcg",
        "memory": "256 MiB",
        "vcpus": 2,
        "nic": {"model": "e1000"},
        "network": {"mode": "bridge", "bridge": "br0"},
    }
)
VIRT_INSTALL = (
    "virt-install --print-xml --import --noautoconsole --virt-type qemu --arch x86_64 --machine q35",
    "--name guest --memory 256 --vcpus 2 --network bridge=br0,model=e1000 --osinfo detect=off,require=off",
    "--disk none --graphics none --controller usb,model=none --memballoon none --sound none",
    "--boot kernel=/var/lib/libvirt/images/tdlab/vmlinuz,initrd=/var/lib/libvirt/images/tdlab/initramfs",
    "--connect qemu:///system",
)


def main() -> None:
    """Print the table to stderr and the document to stdout."""
    specs = list(catalogue.specs().values())
    for one in specs:  # templates and schema are read once, before the clock runs
        validate.validate(render(one))
    figures: dict[str, list[float]] = {"tdlab": [], "tdlab_family": [], "virt_install": []}
    for _ in range(ROUNDS):
        figures["tdlab"].append(_per_second(lambda: _validated(SPEC), 500))
        figures["tdlab_family"].append(len(specs) * _per_second(lambda: _all_validated(specs), 10))
        figures["virt_install"].append(_per_second(_virt_install, 1))
    _report(figures)


def _validated(spec: DomainSpec) -> None:
    validate.validate(render(spec))


def _all_validated(specs: list[DomainSpec]) -> None:
    for one in specs:
        _validated(one)


def _virt_install() -> None:
    process.run(" ".join(VIRT_INSTALL).split(), timeout=60)


def _per_second(action: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        action()
    return times / (time.perf_counter() - began)


def _report(figures: dict[str, list[float]]) -> None:
    median = {name: statistics.median(samples) for name, samples in figures.items()}
    paired = zip(figures["tdlab"], figures["virt_install"], strict=True)
    ratio = statistics.median(ours / theirs for ours, theirs in paired)
    for name, label in (
        ("tdlab", "tdlab, one spec"),
        ("tdlab_family", "tdlab, the whole family"),
        ("virt_install", "virt-install --print-xml"),
    ):
        print(f"{label:26} {median[name]:10,.1f} XML/s", file=sys.stderr)
    print(f"{'tdlab / virt-install':26} {ratio:10,.0f} ×", file=sys.stderr)
    document = {
        "schema": "tdlab.benchmark/1",
        "name": "render",
        "unit": "documents/s",
        "samples": figures,
        "medians": median,
        "ratios": {"tdlab_to_virt_install": ratio},
    }
    print(json.dumps(document))
