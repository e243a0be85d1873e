"""Which cells stand together, what differs, what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from domains.spec import CpuSpec, DomainSpec
from grader.language.i18n import translator
from grader.measure import run
from grader.measure.run import CellResult, Measurement, Run
from grader.report import published, view

DATA = Path(__file__).parent.parent / "data/report"


def page(name: str) -> view.Page:
    return view.page(run.read(DATA / name), translator("en"), "en")


def cell(name: str, asked: dict[str, Any], ran: dict[str, Any], **more: Any) -> CellResult:
    return CellResult(id=name, spec=DomainSpec(), asked=asked, ran=ran, status="measured", **more)


def test_accelerators_are_never_mixed_in_one_figure() -> None:
    groups = page("run.json").groups
    assert [one.accelerator for one in groups] == ["tcg", "kvm"]
    for group in groups:
        assert group.throughput is not None
        assert {row.cell.ran["accelerator"] for row in group.throughput.rows} == {group.accelerator}


def test_a_guest_on_shadow_page_tables_is_not_compared_with_the_others() -> None:
    (group,) = page("run-kvm.json").groups
    assert group.throughput is not None
    shown = {row.cell.id for row in group.throughput.rows}
    assert "virtio-ept-off" not in shown
    assert "virtio-ept-on" in shown


def test_ept_is_paired_by_what_was_read_back() -> None:
    one = Measurement(unit="s", samples=(1.0,), median=1.0)
    cells = [
        CellResult(
            id=ept,
            spec=DomainSpec(cpu=CpuSpec(ept=ept)),  # type: ignore[arg-type]
            ran=ran,
            status="measured",
            measurements={"boot_to_ready": one},
        )
        for ept, ran in (("on", {"ept": "on"}), ("off", {}))
    ]
    assert view.ept_pairs(cells) == ()
    cells[1] = cells[1].model_copy(update={"ran": {"ept": "off"}})
    (pair,) = view.ept_pairs(cells)
    assert (pair.on.id, pair.off.id) == ("on", "off")
    assert [line[0] for line in pair.lines] == ["boot_to_ready"]


def test_asked_and_ran() -> None:
    common, names, ((_, facts),) = view.asked_and_ran(
        [
            cell(
                "x",
                {"accelerator": "any", "vhost": "on", "driver": "virtio_net", "ept": None, "queues": 2},
                {"accelerator": "tcg", "vhost": "off", "driver": None, "ept": None, "queues": 2},
            )
        ]
    )
    assert common == ()
    assert names == ("accelerator", "vhost", "driver", "queues")
    assert [one.state for one in facts if one] == ["open", "differs", "unread", "same"]


def test_what_ran_alike_everywhere_is_said_once() -> None:
    cells = [
        cell(name, {"machine": "q35", "vhost": "on"}, {"machine": "pc-q35-10.0", "vhost": ran})
        for name, ran in (("a", "on"), ("b", "off"))
    ]
    common, names, _ = view.asked_and_ran(cells)
    assert common == (("machine", "pc-q35-10.0"),)
    assert names == ("vhost",)


def test_each_cause_is_given_once() -> None:
    cells = [
        cell("a", {}, {}, not_measurable={"exits_per_mb": "no", "pio_exits_per_mb": "no"}),
        cell("b", {}, {}, not_measurable={"exits_per_mb": "no", "rtt": "lost"}),
    ]
    assert view.not_measurable(cells) == (
        ("no", ("exits_per_mb", "pio_exits_per_mb"), ("a", "b")),
        ("lost", ("rtt",), ("b",)),
    )


def test_nested_facts_are_flat() -> None:
    assert view.flat({"a": {"b": 1, "c": {"d": 2}}, "e": [3]}) == [("a.b", 1), ("a.c.d", 2), ("e", [3])]


def test_an_empty_run_has_a_page() -> None:
    empty = view.page(Run(id="x", started=""), translator("en"), "en")
    assert (empty.groups, empty.missing, empty.facts, empty.differs) == ((), (), (), 0)


def test_published_figures_have_sources_in_both_languages() -> None:
    figures = published.read()
    assert len(figures) == 11
    for one in figures:
        assert one.source
        assert one.concept.in_("fr") != one.concept.in_("en")
