"""What the emulated lab host costs: its image, its cold start, its warm start and its reset, in seconds.

Ratios are of the warm start and of the reset to the cold start in the same run.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from benchmarks import _report
from domains import daemon, hypervisor
from domains.emulated import emulator, lifecycle, plan
from domains.emulated.emulator import Emulator
from domains.emulated.lifecycle import Up
from domains.hypervisor import Hypervisor

_ROUNDS = 3


def main() -> None:
    """Start a host of its own cold, then warm and by reset some times, and remove it."""
    daemon.ensure_running()
    chosen = emulator.choose(_say)
    asked = plan.HostPlan(f"bench-{os.getpid()}", "", "")
    cold: list[float] = []
    warm: list[float] = []
    reset: list[float] = []
    phases: list[dict[str, float]] = []
    with hypervisor.connected() as connection:
        for _ in range(_ROUNDS):
            seconds, up = _timed(connection, asked, chosen, "cold")
            # What a host is furnished with and its saved state serve later starts.
            cold.append(up.phases["boot"] + up.phases["provision"])
            phases.append({**up.phases, "all": seconds})
            lifecycle.down(connection, asked.name)
            warm.append(_timed(connection, asked, chosen, "warm")[0])
            began = time.monotonic()
            lifecycle.reset(connection, asked.name, chosen, _say)
            reset.append(time.monotonic() - began)
            lifecycle.down(connection, asked.name, forget=True)
    ratios = {"warm_to_cold": _report.ratio(warm, cold), "reset_to_cold": _report.ratio(reset, cold)}
    figures = {"cold_s": cold, "warm_s": warm, "reset_s": reset, "cold_phases": phases, "image": _image()}
    _report.publish("emulated_host", ratios, figures)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _timed(connection: Hypervisor, asked: plan.HostPlan, chosen: Emulator, how: str) -> tuple[float, Up]:
    began = time.monotonic()
    up = lifecycle.up(connection, asked, chosen, _say)
    if up.how != how:
        raise SystemExit(f"the host came up {up.how}, not {how}")
    return time.monotonic() - began, up


def _image() -> str:
    from domains.emulated import image

    made = image.where()
    return Path(made.folder).name if made else "none"


if __name__ == "__main__":
    main()
