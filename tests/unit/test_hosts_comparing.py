"""Which host is slower: only where the interval says so, and why only as a candidate."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from typing import Any

import pytest

from domains.spec import DomainSpec
from grader.hosts import candidates, comparing
from grader.measure.run import METRICS, CellResult, Measurement, Run


def run(
    throughput: Sequence[float], rtt: Sequence[float] = (100, 101, 99), *, cells: int = 2, **facts: Any
) -> Run:
    """A run whose cells measured these rounds."""
    samples = {"tcp_to_guest": throughput, "tcp_from_guest": throughput, "rtt": rtt}
    return Run(
        id="r",
        started="2026-01-01T00:00:00+00:00",
        environment={"cpu": "A", **facts},
        cells=tuple(
            CellResult(
                id=f"c{number}",
                spec=DomainSpec(),
                status="measured",
                measurements={
                    name: Measurement(unit=METRICS[name], samples=tuple(one), median=statistics.median(one))
                    for name, one in samples.items()
                    if one
                },
            )
            for number in range(cells)
        ),
    )


FAST, SLOW = run((1000, 1010, 990)), run((500, 505, 495))


def test_a_host_of_half_the_throughput_is_slower_by_that_ratio() -> None:
    found = comparing.compare({"a": FAST, "b": SLOW}, "a")
    assert (found["a"].verdict, found["b"].verdict) == ("reference", "slower")
    one = found["b"].aspects["throughput"]
    assert one.ratio == pytest.approx(0.5, abs=0.001)
    assert one.low is not None
    assert one.high is not None
    assert 0.45 < one.low < 0.5 < one.high < 0.55
    assert found["b"].aspects["rtt"].better is None
    assert comparing.compare({"a": FAST, "b": SLOW}, "b")["a"].verdict == "faster"


def test_a_longer_round_trip_is_slower_and_both_ways_at_once_is_said() -> None:
    late = run((1000, 1010, 990), (300, 303, 297))
    assert comparing.compare({"a": FAST, "b": late}, "a")["b"].verdict == "slower"
    both = run((2000, 2020, 1980), (300, 303, 297))
    assert comparing.compare({"a": FAST, "b": both}, "a")["b"].verdict == "mixed"


def test_the_ratio_of_each_cell_is_that_of_its_medians() -> None:
    cells = comparing.compare({"a": FAST, "b": SLOW}, "a")["b"].cells
    assert [(one.cell, one.metric) for one in cells[:3]] == [
        ("c0", "tcp_to_guest"),
        ("c0", "tcp_from_guest"),
        ("c0", "rtt"),
    ]
    assert (cells[0].ratio, cells[0].low and cells[0].low < 0.5) == (0.5, True)


def test_rounds_that_vary_more_than_hosts_differ_show_nothing() -> None:
    noisy = run((1000, 400, 1600))
    assert comparing.compare({"a": noisy, "b": SLOW}, "a")["b"].verdict == "same"


def test_a_difference_below_what_another_boot_makes_is_not_told() -> None:
    near = run((980, 980.1, 979.9), (100, 100.1, 99.9))
    there = run((1000, 1000.1, 999.9), (100, 100.1, 99.9))
    assert comparing.compare({"a": there, "b": near}, "a")["b"].verdict == "same"


def test_two_rounds_tell_nothing() -> None:
    found = comparing.compare({"a": run((1000, 1001), (1, 1)), "b": run((10, 11), (1, 1))}, "a")["b"]
    assert (found.verdict, found.aspects["throughput"].low) == ("unknown", None)
    assert found.aspects["throughput"].ratio == pytest.approx(0.0105, abs=0.001)


def test_what_no_cell_has_in_common_tells_nothing() -> None:
    other = SLOW.model_copy(
        update={"cells": tuple(one.model_copy(update={"id": f"x{one.id}"}) for one in SLOW.cells)}
    )
    found = comparing.compare({"a": FAST, "b": other}, "a")["b"]
    assert (found.verdict, found.aspects, found.cells) == ("unknown", {}, ())


@pytest.mark.parametrize("hosts", [2, 16])
def test_hosts_that_are_alike_are_seldom_called_anything(hosts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "_cells", lambda _run, _other: [])
    draw = random.Random(7)  # noqa: S311 (the same each time)
    wrong = 0
    for _ in range(60):
        runs = {
            str(number): run(
                [draw.gauss(1000, 120) for _ in range(3)], [draw.gauss(100, 12) for _ in range(3)], cells=1
            )
            for number in range(hosts)
        }
        chosen = comparing.reference(runs)
        assert chosen is not None
        found = comparing.compare(runs, chosen)
        wrong += any(one.verdict not in {"reference", "same"} for one in found.values())
    assert wrong <= 6, "5 % of the commands, not of the hosts"


def test_the_middle_host_is_the_reference_and_of_two_the_faster() -> None:
    runs = {"slow": SLOW, "fast": FAST, "mid": run((700, 701, 702))}
    assert comparing.reference(runs) == "mid"
    assert comparing.reference({"slow": SLOW, "fast": FAST}) == "fast"
    assert comparing.reference(runs, "slow") == "slow"
    assert comparing.reference({"none": run((), (), cells=0)}) is None


def test_hosts_without_throughput_are_compared_by_what_they_have() -> None:
    runs = {"a": run((), (100, 101, 99)), "b": run((), (300, 303, 297)), "c": run((), (200, 202, 198))}
    assert comparing.reference(runs) == "c"
    found = comparing.compare(runs, "c")
    assert [found[name].verdict for name in "ab"] == ["faster", "slower"]


def test_an_emulators_times_are_not_compared_with_hardwares() -> None:
    runs = {"a": FAST, "b": SLOW, "lab": run((5, 5, 5), emulator="QEMU, TCG")}
    assert comparing.reference(runs) == "a"
    found = comparing.compare(runs, "a")
    assert (found["lab"].verdict, found["lab"].aspects, found["b"].verdict) == ("apart", {}, "slower")


def test_only_what_differs_is_named_and_the_likeliest_first() -> None:
    fine = {
        "cpu": "A",
        "governor": "performance",
        "memory_kib": 1000,
        "load": "0.1 0 0",
        "mitigation": {"mds": "x"},
    }
    slow = {
        "cpu": "A",
        "governor": "powersave",
        "memory_kib": 1001,
        "load": "0.3 0 0",
        "mitigation": {"mds": "y"},
        "microcode": "0x2",
    }
    found = candidates.candidates("b", "a", {"a": fine, "b": slow}, {"a": "reference", "b": "slower"})
    assert [(one.fact, one.here, one.there) for one in found] == [
        ("governor", "powersave", "performance"),
        ("mitigation.mds", "y", "x"),
        ("microcode", "0x2", None),
    ]
    busy = candidates.candidates(
        "b", "a", {"a": fine, "b": {**fine, "load": "2.5 1 0"}}, {"a": "reference", "b": "slower"}
    )
    assert [one.fact for one in busy] == ["load"]


def test_a_host_that_shares_it_and_is_not_slow_speaks_against_it() -> None:
    environments = {
        "a": {"governor": "performance", "kernel": "6.1"},
        "b": {"governor": "powersave", "kernel": "6.2"},
        "c": {"governor": "powersave", "kernel": "6.1"},
        "d": {"governor": "performance", "kernel": "6.2"},
    }
    verdicts = {"a": "reference", "b": "slower", "c": "same", "d": "slower"}
    first, second = candidates.candidates("b", "a", environments, verdicts)
    assert (first.fact, first.others, first.against) == ("kernel", ("d",), ())
    assert (second.fact, second.others, second.against) == ("governor", (), ("c",))


def test_facts_that_differ_on_any_host_are_listed_once() -> None:
    assert candidates.differing({"a": {"cpu": "A"}, "b": {"cpu": "B", "qemu": "10"}, "c": {"cpu": "A"}}) == (
        "cpu",
        "qemu",
    )
