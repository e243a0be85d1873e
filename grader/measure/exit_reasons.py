"""VM exits by hardware reason: the kernel's histogram of them, and what its codes are called.

KVM's own counters count by kind of work; these are the CPU's own reasons, as it stores them on each exit. A
histogram is counted in a short transfer of its own, because the tracepoint costs time at every exit.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from domains import document
from domains.devices import tracing
from domains.errors import InfrastructureError
from domains.host import Host
from domains.lifecycle import Domain
from domains.render import Owner
from grader.language.bilingual import Bilingual
from grader.measure import cell, counters, iperf
from grader.measure.run import ExitReason, ExitReasons, Record

FILE = Path(__file__).resolve().with_name("exit_reasons.yaml")
NAME = "exit_reasons"

Extension = Literal["vmx", "svm"]
# The kernel's numbers of the two (KVM_ISA_VMX and KVM_ISA_SVM in arch/x86/kvm/trace.h).
_EXTENSIONS: dict[int, Extension] = {1: "vmx", 2: "svm"}
# Intel's reason is the low half of the field; its bit 31 says that the entry failed (SDM volume 3, 25.9.1).
_BASIC = 0xFFFF
_ENTRY_FAILED = 1 << 31

_ROW = re.compile(r"\{ isa:\s*(\d+), exit_reason:\s*(\d+) \} hitcount:\s*(\d+)")
_TOTAL = re.compile(r"^\s*(Hits|Dropped):\s*(\d+)\s*$", re.MULTILINE)

SECONDS = 1
# Both count the same exits of a guest that stands still before and after: only what the kernel counts apart
# (an exit that is handled before the guest leaves KVM's inner loop) may differ.
TOLERANCE = 0.02


class Named(Record):
    """One reason, or a range of them from the first to the last of two codes."""

    codes: tuple[int] | tuple[int, int]
    name: str
    fr: str
    en: str


class Names(Record):
    """The file of names, by the CPU's extension."""

    svm: tuple[Named, ...]
    vmx: tuple[Named, ...]


@dataclass(frozen=True)
class Histogram:
    """Exits by the code that the CPU gave, ``dropped`` apart: those for which the kernel had no room."""

    extension: Extension
    counts: Mapping[int, int]
    dropped: int = 0

    @property
    def total(self) -> int:
        """All exits that the tracepoint saw."""
        return sum(self.counts.values()) + self.dropped


def parse(text: str) -> Histogram | None:
    """Read a histogram over ``isa`` and ``exit_reason``; None when it is empty.

    Raises :class:`InfrastructureError` when the text is none, or its rows do not add up to its total.
    """
    totals = {name: int(value) for name, value in _TOTAL.findall(text)}
    rows = [(int(isa), int(code), int(hits)) for isa, code, hits in _ROW.findall(text)]
    if set(totals) != {"Hits", "Dropped"}:
        raise InfrastructureError(f"the kernel's histogram has no totals: {text[-80:]!r}")
    if not rows:
        return None
    kinds = {isa for isa, _, _ in rows}
    if len(kinds) != 1 or not kinds <= set(_EXTENSIONS):
        raise InfrastructureError(f"the kernel's histogram is of {kinds}: neither VMX's reasons nor SVM's")
    counts: dict[int, int] = {}
    for _, code, hits in rows:  # the kernel may give one key two rows, when two CPUs add it at once
        counts[code] = counts.get(code, 0) + hits
    if sum(counts.values()) != totals["Hits"]:
        raise InfrastructureError(
            f"the kernel's histogram adds up to {sum(counts.values())}, and says {totals['Hits']}"
        )
    return Histogram(_EXTENSIONS[kinds.pop()], counts, totals["Dropped"])


@functools.cache
def _names() -> Names:
    return document.validate(document.read(FILE), Names)


def _named(extension: Extension, code: int) -> tuple[Named, int] | None:
    basic = code & _BASIC if extension == "vmx" else code
    names = _names()
    for one in names.vmx if extension == "vmx" else names.svm:
        if one.codes[0] <= basic <= one.codes[-1]:
            return one, basic - one.codes[0]
    return None


def name(extension: Extension, code: int) -> str:
    """Return what the manual calls a reason of ``vmx`` or ``svm``; one that it does not list is a number."""
    found = _named(extension, code)
    called = found[0].name.format(n=found[1]) if found else printed(extension, code)
    return f"{called}, entry failed" if extension == "vmx" and code & _ENTRY_FAILED else called


def printed(extension: Extension, code: int) -> str:
    """Return a code as its manual prints it: AMD's in hexadecimal, Intel's in decimal."""
    return f"{code:#x}" if extension == "svm" else str(code & _BASIC)


def meaning(extension: Extension, code: str) -> Bilingual | None:
    """Return what a reason (its code as printed) means in plain words, or None for one that has no name."""
    found = _named(extension, int(code, 0))
    return Bilingual(fr=found[0].fr, en=found[0].en) if found else None


def result(histogram: Histogram, megabytes: float, counted: int | None) -> ExitReasons:
    """Return the exits by reason, most frequent first; ``counted`` is what KVM's own counter rose by."""
    reasons = [
        ExitReason(
            code=printed(histogram.extension, code),
            name=name(histogram.extension, code),
            count=count,
            per_mb=round(count / megabytes, 6),
        )
        for code, count in sorted(histogram.counts.items(), key=lambda one: (-one[1], one[0]))
    ]
    return ExitReasons(
        extension=histogram.extension,
        megabytes=round(megabytes, 6),
        traced=histogram.total,
        counted=counted,
        agrees=None if counted is None else abs(histogram.total - counted) <= TOLERANCE * counted,
        reasons=tuple(reasons),
    )


def measure(host: Host, domain: Domain, *, owner: Owner, believed: bool = True) -> ExitReasons:
    """Trace a paused guest through one transfer each way and return its exits by reason; it is paused again.

    The guest stands still when counting begins and ends, so that tracepoint and counters see the same exits.
    ``believed`` says whether KVM's counters are any good on this host. Raises :class:`InfrastructureError`
    when nothing could be counted.
    """
    megabytes = 0.0
    with tracing.exits(host, domain.machine.name, owner=owner) as read:
        before = counters.read(domain.machine.statistics()).sums
        domain.machine.resume()
        try:
            for direction in iperf.DIRECTIONS:
                megabytes += cell.transfer(host, domain, direction, seconds=SECONDS, warmup=0).megabytes
        finally:
            domain.machine.pause()
        after = counters.read(domain.machine.statistics()).sums
        histogram = parse(read())
    counted = after["exits"] - before["exits"] if believed and {*before} & {*after} >= {"exits"} else None
    if histogram is None:
        raise InfrastructureError(
            f"the tracepoint kvm_exit saw no exit of this guest; KVM counted {counted or 'none'}",
            remedy="in a container the kernel's thread numbers are others: run tdlab on the host itself",
        )
    if megabytes <= 0:
        raise InfrastructureError("nothing was moved while the exits were traced")
    return result(histogram, megabytes, counted)
