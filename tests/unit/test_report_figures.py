"""Scales that do not lie, and bars, whiskers and dots in their places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.spec import DomainSpec
from grader.measure.run import CellResult, Measurement
from grader.report import figures
from grader.report.figures import Scale, scale


def measured(*samples: float, unit: str = "Mbit/s", ci95: tuple[float, float] | None = None) -> Measurement:
    return Measurement(unit=unit, samples=samples, median=sorted(samples)[len(samples) // 2], ci95=ci95)


def cell(name: str, **metrics: Measurement) -> CellResult:
    return CellResult(id=name, spec=DomainSpec(), status="measured", measurements=metrics)


@given(st.floats(min_value=1e-9, max_value=1e12), st.sampled_from([(3, 7), (2, 4)]))
def test_a_scale_begins_at_0_holds_the_largest_and_wastes_little(
    largest: float, bounds: tuple[int, int]
) -> None:
    least, most = bounds
    on = scale(largest, least=least, most=most)
    assert on.ticks[0] == 0
    assert least <= len(on.ticks) - 1 <= most
    assert largest * (1 - 1e-9) <= on.top <= largest * 1.7


def test_a_scale_of_nothing() -> None:
    assert scale(0).at(0) == 0


def test_ticks_have_the_decimals_that_tell_them_apart() -> None:
    assert [scale(largest).decimals for largest in (1_500, 7, 0.7, 0.06)] == [0, 0, 1, 2]


def test_places_are_per_cent() -> None:
    on = Scale(200.0, (0.0, 100.0, 200.0))
    one = figures.bar("rtt", measured(50, 100, 100, 150, ci95=(50, 150)), on)
    assert (one.median, one.low, one.high) == (50, 25, 75)
    assert one.dots == (25, 50, 75)


def test_without_an_interval_there_is_no_whisker() -> None:
    one = figures.bar("rtt", measured(50.0), Scale(100.0, (0.0, 100.0)))
    assert (one.low, one.high) == (None, None)


def test_the_fastest_towards_the_guest_comes_first_and_the_unmeasured_last() -> None:
    cells = [
        cell("from-only", tcp_from_guest=measured(9_000)),
        cell("slow", tcp_to_guest=measured(10)),
        cell("fast", tcp_to_guest=measured(20)),
        cell("neither", rtt=measured(1, unit="us")),
    ]
    figure = figures.throughput(cells)
    assert figure is not None
    assert [row.cell.id for row in figure.rows] == ["fast", "slow", "from-only"]
    assert figure.exit_scale is None


def test_nothing_measured_is_no_figure() -> None:
    assert figures.throughput([cell("none")]) is None
    assert figures.single([cell("none")], "rtt") is None


def test_exits_are_stacked_by_kind() -> None:
    one = cell(
        "e1000",
        exits_per_mb=measured(100, unit="1/MB"),
        mmio_exits_per_mb=measured(30, unit="1/MB"),
        pio_exits_per_mb=measured(20, unit="1/MB"),
    )
    found = figures.exits(one, Scale(200.0, (0.0, 200.0)))
    assert found is not None
    assert found.parts == (("mmio", 30, 0, 15), ("pio", 20, 15, 10), ("other", 50, 25, 25))


def test_exits_of_unknown_kind_are_not_called_other() -> None:
    found = figures.exits(cell("x", exits_per_mb=measured(100, unit="1/MB")), Scale(200.0, (0.0, 200.0)))
    assert found is not None
    assert found.parts == (("all", 100, 0, 50),)
    assert not found.split


def test_exits_that_were_not_counted_are_not_0() -> None:
    assert figures.exits(cell("x", tcp_to_guest=measured(1)), Scale(1.0, (0.0, 1.0))) is None


def test_smaller_is_better_for_times() -> None:
    cells = [cell("b", rtt=measured(30, unit="us")), cell("a", rtt=measured(20, unit="us"))]
    figure = figures.single(cells, "rtt")
    assert figure is not None
    assert [row.cell.id for row in figure.rows] == ["a", "b"]


@pytest.mark.parametrize("largest", [1e-9, 123.0, 1e12])
def test_no_bar_leaves_the_plot(largest: float) -> None:
    on = scale(largest)
    assert 0 <= on.at(-1.0) <= on.at(largest) <= on.at(2 * largest) <= 100
