"""What may be behind a difference: what differs between two environments, and which hosts speak against it.

What differs is only ever a candidate: nothing here was changed to see what happens. A candidate that a host
shares which is not slower is less likely, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grader.measure.run import Record

# From what mostly costs most to what mostly costs least; what is not named here is not looked at.
_FACTS = (
    "emulator",
    "accelerator",
    "cpu",
    "virtual",
    "governor",
    "frequency_max_khz",
    "turbo",
    "frequency_driver",
    "cpus",
    "smt",
    "load",
    "mitigation",
    "kernel_arguments",
    "module",
    "microcode",
    "transparent_hugepages",
    "memory_kib",
    "kernel",
    "qemu",
    "libvirt",
    "iperf3",
    "distribution",
)
# Memory is counted after what the kernel keeps, and a frequency is rounded by firmware.
_ALIKE = {"memory_kib": 0.05, "frequency_max_khz": 0.02}
# So much of a processor was at work for others when measuring began.
_BUSY = 0.5
_LOAD = "load"


class Candidate(Record):
    """One fact that differs: its value here, and on the reference; None where the host does not show it.

    ``against`` are hosts that have the value of here and are not as slow (or as fast): then it hardly is the
    cause. ``others`` have it and are.
    """

    fact: str
    here: str | None
    there: str | None
    others: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


def candidates(
    name: str, reference: str, environments: Mapping[str, Mapping[str, Any]], verdicts: Mapping[str, str]
) -> tuple[Candidate, ...]:
    """Return what differs between a host and the reference, the likelier first.

    ``verdicts`` are those of all hosts that were compared (see :mod:`grader.hosts.comparing`).
    """
    facts = {host: dict(flat(one)) for host, one in environments.items() if host in verdicts}
    mine, theirs = facts[name], facts[reference]
    found = [
        _candidate(fact, name, facts, reference, verdicts)
        for fact in dict.fromkeys((*mine, *theirs))
        if not alike(fact, mine.get(fact), theirs.get(fact))
    ]
    return tuple(sorted(found, key=lambda one: (bool(one.against), _rank(one.fact))))


def _candidate(
    fact: str,
    name: str,
    facts: Mapping[str, Mapping[str, Any]],
    reference: str,
    verdicts: Mapping[str, str],
) -> Candidate:
    here = facts[name].get(fact)
    same = [host for host in facts if host != name and alike(fact, facts[host].get(fact), here)]
    return Candidate(
        fact=fact,
        here=None if here is None else str(here),
        there=None if (there := facts[reference].get(fact)) is None else str(there),
        others=tuple(host for host in same if verdicts[host] == verdicts[name]),
        against=tuple(host for host in same if verdicts[host] not in {verdicts[name], "mixed", "unknown"}),
    )


def differing(environments: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the facts that are not alike on all hosts, the weightier first."""
    facts = [dict(flat(one)) for one in environments.values()]
    names = dict.fromkeys(name for one in facts for name in one)
    found = [
        name for name in names if any(not alike(name, one.get(name), facts[0].get(name)) for one in facts)
    ]
    return tuple(sorted(found, key=_rank))


def flat(environment: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is looked at of an environment, groups by dotted names."""
    for name in _FACTS:
        value = environment.get(name)
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", one) for key, one in value.items())
        elif value is not None:
            yield name, value


def alike(fact: str, one: Any, other: Any) -> bool:
    """Return whether two values of a fact are the same for what is measured."""
    if fact == _LOAD:
        return abs(_load(one) - _load(other)) < _BUSY
    if fact in _ALIKE and isinstance(one, int) and isinstance(other, int):
        return abs(one - other) <= _ALIKE[fact] * max(one, other)
    return bool(one == other)


def _load(value: Any) -> float:
    """Return the load of the last minute; 0 where it is not told."""
    try:
        return float(str(value).split()[0])
    except (ValueError, IndexError):
        return 0.0


def _rank(fact: str) -> int:
    return _FACTS.index(fact.partition(".")[0])
