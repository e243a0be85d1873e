"""KVM's counters around a piece of work in a guest."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domains.lifecycle import Domain
from grader.measure import counters

_OF_THE_VM = re.compile(r"vm\.(\w+)\.sum")


@dataclass
class Rise:
    """By how much each counter rose; a counter that this host does not have is absent, and never 0."""

    by: dict[str, int] = field(default_factory=dict)


@contextlib.contextmanager
def rising(domain: Domain) -> Iterator[Rise]:
    """Count what happens in a guest during a ``with`` block; the rise is known when the block has ended."""
    before, rise = sums(domain.machine.statistics()), Rise()
    yield rise
    after = sums(domain.machine.statistics())
    rise.by.update({name: after[name] - before[name] for name in before.keys() & after.keys()})


def sums(statistics: Mapping[str, Any]) -> dict[str, int]:
    """Return the counters of one guest: those of its vCPUs summed, and those of the VM as a whole."""
    of_vm = {
        match[1]: int(value) for key, value in statistics.items() if (match := _OF_THE_VM.fullmatch(key))
    }
    return {**counters.read(statistics).sums, **of_vm}
