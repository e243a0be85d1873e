"""The row about emulated lab hosts: which QEMU one would run on here, by what is remembered about each."""

from __future__ import annotations

from domains.capabilities import model
from domains.capabilities.model import Capability
from domains.qemu import resolver
from domains.qemu.behaviour import BEHAVIOURS

IDENTITY = "emulated-host"


def row() -> Capability:
    """Return the row ``emulated-host`` of this machine. Only looks: nothing is probed, built or fetched."""
    emulator, why = resolver.recalled(frozenset(BEHAVIOURS))
    if emulator:
        return model.yes(IDENTITY, f"{emulator.path}: {why}")
    return model.unknown(
        IDENTITY,
        cause=why,
        remedy="`tdlab host up --emulated` finds out, and builds its own QEMU if it must (4 minutes, once)",
    )


def image_row() -> Capability:
    """Return the row ``host-image`` of this machine: the disk of emulated hosts, or what is in its way."""
    from domains.emulated import image

    if made := image.where():
        return model.yes("host-image", f"{made.folder}, kernel {made.release}")
    looked = "looked for it in the cache"
    if found := image.obstacle():
        return model.no("host-image", looked, cause=found.problem, remedy=found.remedy or "see above")
    cause = "the disk of emulated lab hosts is not built yet"
    remedy = "`tdlab host up --emulated` builds it in two minutes; it needs the network once"
    return model.no("host-image", looked, cause=cause, remedy=remedy)
