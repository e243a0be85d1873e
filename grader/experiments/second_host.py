"""A second emulated host beside the one that is measured: the same, but for what it goes without."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from domains import daemon
from domains import hypervisor as hypervisors
from domains.emulated import lifecycle, registry
from domains.emulated.lifecycle import Emulator
from domains.emulated.plan import HostPlan
from domains.errors import UsageError
from domains.host import Host
from domains.hypervisor import LOCAL_URI
from grader.experiments.stage import Stage

SUFFIX = "-intremap-off"
# It only has to answer: no guest runs on it.
MEMORY, VCPUS = 2 << 30, 1
_LONGEST_NAME = 31


@contextlib.contextmanager
def without_interrupt_remapping(stage: Stage) -> Iterator[Host]:
    """Own an emulated host whose IOMMU does not remap interrupts; on leaving it is down.

    Its saved state stays, so that it is up sooner the next time. One that a killed run left up is taken over.
    Raises :class:`UsageError` when the stage's own host is no emulated one.
    """
    if stage.emulator is None:
        raise UsageError(
            f"{stage.host.name} is no emulated host: a machine like it cannot be made",
            remedy="name a host of `tdlab host list`",
        )
    record = registry.require(stage.host.name)
    if said := daemon.ensure_running():
        stage.say(said)
    asked = plan_of(record.plan)
    with hypervisors.connected(LOCAL_URI) as here:
        stage.say(f"starting {asked.name}: as {record.name}, but without interrupt remapping")
        try:
            done = lifecycle.up(here, asked, emulator_of(record), stage.say)
            yield registry.as_host(done.record)
        finally:
            if registry.read(asked.name):
                lifecycle.down(here, asked.name)


def plan_of(first: HostPlan) -> HostPlan:
    """Return the plan of the second host."""
    name = first.name[: _LONGEST_NAME - len(SUFFIX)] + SUFFIX
    return replace(first, name=name, run="", subnet="", memory=MEMORY, vcpus=VCPUS, interrupt_remapping=False)


def emulator_of(record: registry.Record) -> Emulator:
    """Return the QEMU that the first host runs on."""
    return Emulator(Path(record.emulator), record.emulator_said)
