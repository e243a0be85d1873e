"""The sentence on top says what the samples show, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from domains.spec import DomainSpec, NicSpec
from grader.language.i18n import translator
from grader.measure.run import CellResult, Measurement, Run
from grader.report import finding
from grader.report.finding import ratio, sentences


def measured(*samples: float, unit: str = "Mbit/s") -> Measurement:
    return Measurement(unit=unit, samples=samples, median=sorted(samples)[len(samples) // 2])


def cell(model: Any, ran: str = "kvm", **metrics: Measurement) -> CellResult:
    return CellResult(
        id=model,
        spec=DomainSpec(nic=NicSpec(model=model)),
        ran={"accelerator": ran},
        status="measured",
        measurements=metrics,
    )


FAST = measured(200, 202, 198, 201, 199)
SLOW = measured(100, 101, 99, 100, 100)


def said(*cells: CellResult, lang: str = "en") -> str:
    return " ".join(sentences(cells, translator(lang), lang))


def test_a_ratio_has_an_interval_that_holds_it() -> None:
    found = ratio(FAST, SLOW)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.value == 2.0
    assert 1.9 < found.low <= 2.0 <= found.high < 2.1
    assert not found.holds_one


def test_the_same_samples_give_the_same_interval() -> None:
    assert ratio(FAST, SLOW) == ratio(FAST, SLOW)


def test_two_samples_give_no_interval() -> None:
    found = ratio(measured(2, 2), SLOW)
    assert found is not None
    assert found.low is None


def test_nothing_is_divided_by_nothing() -> None:
    assert ratio(FAST, measured(0, 0, 0)) is None


def test_the_finding_compares_virtio_with_e1000() -> None:
    text = said(
        cell("rtl8139", tcp_to_guest=SLOW),
        cell("e1000", tcp_to_guest=SLOW),
        cell("virtio", tcp_to_guest=FAST),
    )
    assert text.startswith("On this host virtio moves 2.0 times what an emulated e1000 does")


def test_a_decimal_comma_in_french() -> None:
    text = said(cell("e1000", tcp_to_guest=SLOW), cell("virtio", tcp_to_guest=FAST), lang="fr")
    assert "2,0 fois ce que transmet une carte e1000 émulée" in text


def test_no_difference_is_said_to_be_none() -> None:
    wide = measured(80, 120, 100, 90, 110)
    text = said(cell("e1000", tcp_to_guest=SLOW), cell("virtio", tcp_to_guest=wide))
    assert "cannot be told apart" in text


def test_why_is_counted() -> None:
    slow = cell(
        "e1000",
        tcp_to_guest=SLOW,
        exits_per_mb=measured(150, unit="1/MB"),
        mmio_exits_per_mb=measured(46, unit="1/MB"),
    )
    fast = cell("virtio", tcp_to_guest=FAST, exits_per_mb=measured(17, unit="1/MB"))
    assert "e1000 leaves the guest 150 times, 46.0 of them because" in said(slow, fast)


def test_why_is_not_made_up() -> None:
    """More exits on the faster side explain nothing: the numbers are given without a because."""
    slow = cell("e1000", tcp_to_guest=SLOW, exits_per_mb=measured(10, unit="1/MB"))
    fast = cell("virtio", tcp_to_guest=FAST, exits_per_mb=measured(17, unit="1/MB"))
    assert "Why" not in said(slow, fast)
    assert "e1000 leaves the guest 10.0 times, virtio 17.0 times" in said(slow, fast)
    assert "were not counted" in said(cell("e1000", tcp_to_guest=SLOW), cell("virtio", tcp_to_guest=FAST))


def test_tcg_has_no_exits() -> None:
    text = said(cell("e1000", "tcg", tcp_to_guest=SLOW), cell("virtio", "tcg", tcp_to_guest=FAST))
    assert "TCG has no VM exits to count" in text


def test_one_kind_of_nic_is_not_compared() -> None:
    assert "no second kind of NIC" in said(cell("e1000", tcp_to_guest=SLOW))
    assert said() == "No throughput was measured in this run."


def test_throughput_of_nothing_is_not_a_ratio() -> None:
    text = said(cell("e1000", tcp_to_guest=measured(0, 0, 0)), cell("virtio", tcp_to_guest=FAST))
    assert "e1000 moved nothing towards the guest" in text


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"accelerator": "tcg", "accelerator_why": "a trap"}, "a trap"),
        ({"accelerator": "kvm", "accelerator_why": "the guest booted"}, None),
        ({}, None),
    ],
)
def test_why_kvm_was_refused(environment: dict[str, str], expected: str | None) -> None:
    assert finding.refusal(Run(id="x", started="", environment=environment)) == expected


def test_what_was_asked_is_no_proof_of_what_ran() -> None:
    one = CellResult(id="x", spec=DomainSpec(), asked={"accelerator": "kvm"}, status="measured")
    assert finding.accelerator(one) == "unknown"
