from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.lab.questions import Expect
from grader.measure.run import CellResult, Measurement, Run
from grader.submission import evidence
from grader.submission.evidence import Bundle, Missing, Seen, Why

RATIO = Expect.model_validate(
    {
        "ratio": {
            "of": {"metric": "tcp_to_guest", "nic": "virtio", "vhost": "off"},
            "to": {"metric": "tcp_to_guest", "nic": "e1000"},
        }
    }
)


def cell(name: str, *samples: float, median: float | None = None, **more: Any) -> CellResult:
    measured = sorted(samples)[len(samples) // 2] if median is None and samples else median
    metric = Measurement(unit="Mbit/s", samples=samples, median=measured) if measured is not None else None
    nic = {"model": "virtio", "vhost": "off"} if name.startswith("virtio") else {"model": name}
    data: dict[str, Any] = {"id": name, "spec": {"nic": nic}, "status": "measured"}
    if metric is not None:
        data["measurements"] = {"tcp_to_guest": metric}
    return CellResult.model_validate({**data, **more})


def bundle(*cells: CellResult) -> Bundle:
    return Bundle(run=Run(id="r", started="2025-03-10T09:30:00Z", cells=cells))


def missing(*cells: CellResult) -> Missing:
    found = evidence.expected(RATIO, bundle(*cells))
    assert isinstance(found, Missing)
    return found


def test_a_ratio_is_that_of_the_medians_and_says_how() -> None:
    found = evidence.expected(RATIO, bundle(cell("virtio", 10, 30, 20), cell("e1000", 9, 10, 11)))
    assert isinstance(found, Seen)
    assert found.value == 2.0
    assert found.how == "tcp_to_guest[virtio] = 20 Mbit/s / tcp_to_guest[e1000] = 10 Mbit/s"


def test_a_constant_needs_no_evidence() -> None:
    assert evidence.expected(Expect(value=2001), Bundle()) == Seen(2001, "")


def test_of_several_cells_that_fit_the_first_measured_one_counts() -> None:
    lost = cell("virtio-first", status="error", cause="broke")
    found = evidence.expected(RATIO, bundle(lost, cell("virtio", 20), cell("e1000", 10)))
    assert isinstance(found, Seen)
    assert "tcp_to_guest[virtio]" in found.how


def test_what_the_student_did_not_bring_is_named() -> None:
    assert evidence.expected(RATIO, Bundle()) == Missing(Why.NOT_BROUGHT, "evidence/report.json is missing")
    assert missing(cell("e1000", 1)).cause == "evidence/report.json has no cell with nic virtio, vhost off"


def test_what_the_host_cannot_do_comes_before_what_was_not_brought() -> None:
    found = missing(cell("e1000", status="skipped", cause="no such card", remedy="get one"))
    assert found == Missing(Why.HOST_CANNOT, "e1000: no such card")


def test_a_metric_that_was_explained_away_is_the_hosts_and_one_that_vanished_is_ours() -> None:
    explained = cell("e1000", not_measurable={"tcp_to_guest": "no iperf3"})
    assert missing(cell("virtio", 1), explained).why is Why.HOST_CANNOT
    assert missing(cell("virtio", 1), cell("e1000")).why is Why.COUNTER_LOST
    assert missing(cell("virtio", 1), cell("e1000", 0)).why is Why.COUNTER_LOST


def test_samples_and_median_must_agree() -> None:
    found = missing(cell("virtio", 10, 20, 30, median=90), cell("e1000", 10))
    assert found.why is Why.CONTRADICTS_ITSELF
    assert "says median 90, its samples say 20" in found.cause
    assert missing(cell("virtio", float("inf")), cell("e1000", 1)).why is Why.CONTRADICTS_ITSELF
    assert missing(cell("virtio", 1e300), cell("e1000", 1e-300)).why is Why.CONTRADICTS_ITSELF


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'{"schema": "tdlab.run/2"}', b"\xff", b"[" * 100000, b"null", b'{"started": 1e999}'],
)
def test_a_damaged_report_is_a_problem_and_no_run(raw: bytes) -> None:
    found = evidence.read(raw, None)
    assert found.run is None
    assert found.problem is not None
    assert found.problem.startswith("evidence/report.json: ")


def test_a_run_without_a_time_of_start_is_damaged() -> None:
    found = evidence.read(Run(id="r", started="yesterday").to_json().encode(), None)
    assert found.run is None
    assert "yesterday" in str(found.problem)


def test_damaged_commitments_are_named_by_line() -> None:
    good = b'{"question":"q","sha256":"%s","time":"2025-03-10T09:12:00Z"}\n' % (b"0" * 64)
    found = evidence.read(None, good + b"\n" + b'{"question":"q"}\n')
    assert len(found.commitments) == 1
    assert str(found.commitments_problem).startswith("evidence/predictions.jsonl:3:1: ")
    naive = good.replace(b"Z", b"")
    assert evidence.read(None, naive).commitments_problem is not None


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_bytes_raise_anything(report: bytes, predictions: bytes) -> None:
    found = evidence.read(report, predictions)
    assert found.run is None


def test_equal_predictions_have_equal_hashes() -> None:
    assert evidence.commitment_hash("r202", "q", 2) == evidence.commitment_hash("r202", "q", 2.0)
    assert evidence.commitment_hash("r202", "q", 2) != evidence.commitment_hash("r202", "p", 2)
    assert evidence.commitment_hash("r202", "q", ["a", "b"]) != evidence.commitment_hash(
        "r202", "q", ["b", "a"]
    )
