"""KVM's counters before and after: exits by kind, and what they come to per megabyte and per packet.

libvirt does not promise the names of these statistics (they are QEMU's). A missing key is "not measurable",
never 0; under TCG there are no VM exits at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOT_UNDER_TCG = "TCG has no VM exits: it translates the guest's instructions in software"

# Our metric, and the statistic summed over the vCPUs that it is made of.
_KINDS = {
    "exits_per_mb": "exits",
    "mmio_exits_per_mb": "mmio_exits",
    "pio_exits_per_mb": "io_exits",
    "halt_exits_per_mb": "halt_exits",
    "irq_injections_per_mb": "irq_injections",
    "page_faults_per_mb": "pf_taken",
}


@dataclass(frozen=True)
class Counters:
    """Sums over the vCPUs of one guest at one moment; ``packets`` and ``cpu_seconds`` are the host's view."""

    sums: Mapping[str, int]
    packets: int | None
    cpu_seconds: float | None


def read(statistics: Mapping[str, Any]) -> Counters:
    """Take the counters out of libvirt's bulk statistics."""
    sums: dict[str, int] = {}
    for key, value in statistics.items():
        if match := re.fullmatch(r"vcpu\.\d+\.(\w+)\.sum", key):
            sums[match[1]] = sums.get(match[1], 0) + int(value)
    moved = [int(statistics[key]) for key in statistics if re.fullmatch(r"net\.\d+\.[rt]x\.pkts", key)]
    packets = sum(moved) if moved else None
    spent = statistics.get("cpu.time")
    return Counters(sums, packets, None if spent is None else spent / 1e9)


def per_megabyte(
    before: Counters, after: Counters, megabytes: float
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the metrics that could be had and, for those that could not, the cause."""
    had: dict[str, float] = {}
    missing: dict[str, str] = {}
    for metric, key in _KINDS.items():
        if key in before.sums and key in after.sums and megabytes > 0:
            had[metric] = (after.sums[key] - before.sums[key]) / megabytes
        else:
            missing[metric] = f"QEMU reports no {key} for this guest"
    _per_packet(before, after, had, missing)
    if before.cpu_seconds is None or after.cpu_seconds is None or megabytes <= 0:
        missing["host_cpu_per_gb"] = "libvirt reports no CPU time for this guest"
    else:
        had["host_cpu_per_gb"] = (after.cpu_seconds - before.cpu_seconds) / (megabytes / 1000)
    return had, missing


def _per_packet(before: Counters, after: Counters, had: dict[str, float], missing: dict[str, str]) -> None:
    if before.packets is None or after.packets is None:
        missing["exits_per_packet"] = "the packets of a device that was handed over do not pass the host"
    elif "exits" not in before.sums or "exits" not in after.sums:
        missing["exits_per_packet"] = "QEMU reports no exits for this guest"
    elif after.packets > before.packets:
        had["exits_per_packet"] = (after.sums["exits"] - before.sums["exits"]) / (
            after.packets - before.packets
        )
    else:
        missing["exits_per_packet"] = "libvirt counted no packets for this guest"


def disbelieve(had: dict[str, float], missing: dict[str, str], cause: str) -> None:
    """Take away what rests on KVM's counters, because they failed their own test on this host."""
    for metric in (*_KINDS, "exits_per_packet"):
        if had.pop(metric, None) is not None:
            missing[metric] = cause
