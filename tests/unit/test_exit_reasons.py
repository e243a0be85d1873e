"""Exits by hardware reason: the kernel's text, the manuals' names, and a guest that is traced."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from domains import ownership, process
from domains.devices import tracing
from domains.errors import GuestError, InfrastructureError
from domains.host import Host
from domains.lifecycle import Domain
from grader.measure import cell, exit_reasons
from grader.measure.exit_reasons import Histogram
from grader.measure.iperf import Throughput

# Recorded on a host with kvm_amd, Linux 6.12, in a transfer to and from a guest with an e1000.
RECORDED = (Path(__file__).parent.parent / "data" / "tracing" / "kvm_exit.svm.txt").read_text()
COUNTS = {0x400: 885, 0x7C: 681, 0x60: 295, 0x64: 195, 0x78: 19}


def text(*rows: tuple[int, int, int], hits: int | None = None, dropped: int = 0) -> str:
    """Return what the kernel prints for rows of (isa, reason, hits)."""
    lines = [f"{{ isa: {isa:10}, exit_reason: {code:10} }} hitcount: {n:10}" for isa, code, n in rows]
    total = sum(row[2] for row in rows) if hits is None else hits
    return "\n".join(
        ["# event histogram", *lines, "", "Totals:", f"    Hits: {total}", f"    Dropped: {dropped}"]
    )


class TestParse:
    def test_a_recorded_histogram(self) -> None:
        assert exit_reasons.parse(RECORDED) == Histogram("svm", COUNTS)

    def test_an_empty_one_is_nothing_and_not_zero_exits(self) -> None:
        assert exit_reasons.parse(text()) is None

    def test_two_rows_of_one_reason_are_added(self) -> None:
        found = exit_reasons.parse(text((1, 48, 5), (1, 30, 1), (1, 48, 2)))
        assert found == Histogram("vmx", {48: 7, 30: 1})

    def test_what_the_kernel_had_no_room_for_is_counted_all_the_same(self) -> None:
        found = exit_reasons.parse(text((1, 48, 5), dropped=3))
        assert found is not None
        assert (found.dropped, found.total) == (3, 8)

    @pytest.mark.parametrize(
        ("said", "problem"),
        [
            ("", "has no totals"),
            ("cat: hist: No such file or directory", "has no totals"),
            (text((2, 0x400, 5), hits=6), "adds up to 5, and says 6"),
            (text((2, 0x400, 5), (1, 48, 1)), "neither VMX's reasons nor SVM's"),
            (text((3, 0x400, 5)), "neither VMX's reasons nor SVM's"),
        ],
    )
    def test_what_is_no_histogram_is_our_error(self, said: str, problem: str) -> None:
        with pytest.raises(InfrastructureError, match=problem):
            exit_reasons.parse(said)


@pytest.mark.parametrize(
    ("extension", "code", "name", "printed"),
    [
        ("svm", 0x400, "NPF", "0x400"),
        ("svm", 0x7B, "IOIO", "0x7b"),
        ("svm", 0x10, "CR0_WRITE", "0x10"),
        ("svm", 0x18, "CR8_WRITE", "0x18"),
        ("svm", 0x4D, "EXCP13", "0x4d"),
        ("svm", 0x4E, "EXCP14", "0x4e"),
        ("svm", 0xFFFFFFFF, "INVALID", "0xffffffff"),
        ("svm", 0x500, "0x500", "0x500"),
        ("vmx", 48, "EPT_VIOLATION", "48"),
        ("vmx", 49, "EPT_MISCONFIG", "49"),
        ("vmx", 0x80000021, "INVALID_STATE, entry failed", "33"),
        ("vmx", 1 << 27 | 12, "HLT", "12"),
        ("vmx", 500, "500", "500"),
    ],
)
def test_names_are_the_manuals(extension: exit_reasons.Extension, code: int, name: str, printed: str) -> None:
    assert exit_reasons.name(extension, code) == name
    assert exit_reasons.printed(extension, code) == printed


def test_plain_words_are_in_both_languages_for_every_reason_that_has_a_name() -> None:
    names = exit_reasons._names()
    for extension, entries in (("vmx", names.vmx), ("svm", names.svm)):
        seen: set[int] = set()
        for entry in entries:
            codes = set(range(entry.codes[0], entry.codes[-1] + 1))
            # A range may hold one that is told apart, and then it comes after it.
            assert not seen & codes or len(codes) > 1, entry
            seen |= codes
            assert entry.fr
            assert entry.en
        assert exit_reasons.meaning(cast("Any", extension), "9999") is None
    told = exit_reasons.meaning("svm", "0x400")
    assert told is not None
    assert "MMIO" in told.fr
    assert "MMIO" in told.en
    assert exit_reasons.meaning("vmx", "30") != told


def test_a_result_is_ordered_and_per_megabyte() -> None:
    found = exit_reasons.result(Histogram("svm", COUNTS), 2.0, 2075)
    assert [(one.code, one.name, one.count) for one in found.reasons[:2]] == [
        ("0x400", "NPF", 885),
        ("0x7c", "MSR", 681),
    ]
    assert found.reasons[0].per_mb == 442.5
    assert (found.traced, found.counted, found.agrees) == (2075, 2075, True)


@pytest.mark.parametrize(
    ("counted", "agrees"), [(2075, True), (2116, True), (2130, False), (0, False), (None, None)]
)
def test_a_disagreement_with_the_counter_is_kept(counted: int | None, agrees: bool | None) -> None:
    assert exit_reasons.result(Histogram("svm", COUNTS), 1.0, counted).agrees is agrees


class Guest:
    """A guest that exits while it runs, and a host that traces it."""

    name = "tdlab-r-e1000"
    address = "10.0.0.2"

    def __init__(self, histogram: str = RECORDED) -> None:
        self.histogram = histogram
        self.log: list[str] = []
        self.exits = 100

    @property
    def machine(self) -> Guest:
        return self

    def resume(self) -> None:
        self.log.append("resume")

    def pause(self) -> None:
        self.log.append("pause")

    def statistics(self) -> dict[str, int]:
        self.log.append("count")
        return {"vcpu.0.exits.sum": self.exits}

    def transfer(self, _host: Host, _domain: Domain, direction: str, **asked: int) -> Throughput:
        assert asked == {"seconds": 1, "warmup": 0}
        self.log.append(direction)
        self.exits += 1000
        return Throughput(8.0, None, 0.5)

    @contextlib.contextmanager
    def traced(self, _host: Host, guest: str, **_: object) -> Iterator[Any]:
        assert guest == self.name
        self.log.append("trace")
        yield lambda: self.histogram
        self.log.append("end")


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> Guest:
    made = Guest()
    monkeypatch.setattr(cell, "transfer", made.transfer)
    monkeypatch.setattr(tracing, "exits", made.traced)
    return made


def measure(guest: Guest, **options: bool) -> exit_reasons.ExitReasons:
    owner = ownership.this_process("r")
    return exit_reasons.measure(Host(), cast("Domain", guest), owner=owner, **options)


def test_a_guest_stands_still_when_counting_begins_and_ends(guest: Guest) -> None:
    found = measure(guest)
    assert guest.log == ["trace", "count", "resume", "to_guest", "from_guest", "pause", "count", "end"]
    assert (found.megabytes, found.traced, found.counted, found.agrees) == (1.0, 2075, 2000, False)


def test_counters_that_are_not_believed_are_not_compared_with(guest: Guest) -> None:
    found = measure(guest, believed=False)
    assert (found.counted, found.agrees) == (None, None)


def test_a_guest_whose_transfer_breaks_is_paused(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Throughput:
        raise GuestError("iperf3: gone")

    monkeypatch.setattr(cell, "transfer", broken)
    with pytest.raises(GuestError):
        measure(guest)
    assert guest.log[-1] == "pause"


def test_no_exit_at_all_is_our_error_and_never_zero(guest: Guest) -> None:
    guest.histogram = text()
    with pytest.raises(InfrastructureError, match="saw no exit of this guest; KVM counted 2000") as broken:
        measure(guest)
    assert "container" in (broken.value.remedy or "")


def test_the_histogram_is_read_from_the_guests_own_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(argv: list[str], **_: object) -> process.Completed:
        asked.append(argv[-1])
        return process.Completed(tuple(argv), 1, "", "cat: Permission denied\n", 0.0)

    monkeypatch.setattr(process, "run", run)
    with pytest.raises(InfrastructureError, match="Permission denied") as broken:
        tracing._read(Host(), "tdlab-r-a")
    assert asked == ["/sys/kernel/tracing/instances/tdlab-r-a/events/kvm/kvm_exit/hist"]
    assert "tracepoints" in (broken.value.remedy or "")
