"""A second emulated host beside one that is up: the same, but for what it goes without."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from domains.emulated import lifecycle, registry
from domains.emulated.emulator import Emulator
from domains.emulated.lifecycle import Say
from domains.emulated.plan import HostPlan
from domains.host import Host
from domains.hypervisor import Hypervisor

SUFFIX = "-intremap-off"
# It only has to answer: no guest runs on it.
MEMORY, VCPUS = 2 << 30, 1
_LONGEST_NAME = 31


@contextlib.contextmanager
def without_interrupt_remapping(hypervisor: Hypervisor, name: str, say: Say) -> Iterator[Host]:
    """Own an emulated host like that of a name, whose IOMMU does not remap interrupts; at the end it is down.

    Its saved state stays, so that it is up in seconds the next time; one that a killed run left up is taken
    over. Raises :class:`domains.errors.UsageError` when nobody made a host of that name.
    """
    first = registry.require(name)
    asked = plan_of(first.plan)
    emulator = Emulator(Path(first.emulator), first.emulator_said)
    say(f"starting {asked.name}: as {name}, but without interrupt remapping")
    done = lifecycle.up(hypervisor, asked, emulator, say)
    try:
        yield registry.as_host(done.record)
    finally:
        lifecycle.down(hypervisor, asked.name)


def plan_of(first: HostPlan) -> HostPlan:
    """Return the plan of the second host."""
    name = first.name[: _LONGEST_NAME - len(SUFFIX)] + SUFFIX
    return replace(first, name=name, run="", subnet="", memory=MEMORY, vcpus=VCPUS, interrupt_remapping=False)
