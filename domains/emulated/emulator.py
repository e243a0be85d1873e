"""The QEMU that an emulated host runs on, and why it was chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domains.qemu import resolver
from domains.qemu.behaviour import BEHAVIOURS


@dataclass(frozen=True)
class Emulator:
    """The QEMU that a host runs on, and why it was chosen."""

    path: Path
    why: str


def choose(say: Callable[[str], None]) -> Emulator:
    """Return the QEMU that can do all that the TD asks of an emulated host, or the most of it, which is said.

    The first time this probes, and may build our own QEMU. Raises as :func:`resolver.resolve` does.
    """
    chosen = resolver.resolve(frozenset(BEHAVIOURS), say=say, allow_less=True)
    for need, cause in chosen.lacks.items():
        say(f"the emulated host goes without {need}: {cause}")
    return Emulator(chosen.path, chosen.why)
