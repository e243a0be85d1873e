"""What is told of many hosts, against golden files; ``TDLAB_UPDATE_GOLDEN=1`` writes them anew."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest
from rich.console import Console

from grader.hosts import page, telling
from grader.hosts.comparing import Compared, Comparison
from grader.hosts.document import HostResult, HostsReport
from grader.language import LANGUAGES, Lang

DATA = Path(__file__).parents[1] / "data/many-hosts"


@pytest.fixture
def report() -> HostsReport:
    """Nine hosts: slower, faster, under TCG, emulated, off, and held by another."""
    return HostsReport.model_validate_json((DATA / "hosts.json").read_text())


def check(name: str, text: str) -> None:
    golden = DATA / name
    if os.environ.get("TDLAB_UPDATE_GOLDEN") == "1":
        golden.write_text(text)
    assert golden.exists(), f"no golden file {name}: look at the output, then run with TDLAB_UPDATE_GOLDEN=1"
    same = text == golden.read_text()
    assert same, f"{name} differs; if that is meant, TDLAB_UPDATE_GOLDEN=1 and look at git diff"


def printed(report: HostsReport, lang: Lang, width: int) -> str:
    out = io.StringIO()
    telling.print_report(report, "runs", lang, Console(file=out, width=width, highlight=False))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_terminal_tells_it_in_80_columns(report: HostsReport, lang: Lang) -> None:
    text = printed(report, lang, 80)
    assert max(map(len, text.splitlines())) <= 80
    check(f"hosts.{lang}.80.txt", text)


def test_in_half_of_them_nothing_is_lost(report: HostsReport) -> None:
    text = printed(report, "en", 40)
    assert max(map(len, text.splitlines())) <= 40
    for one in report.hosts:
        assert one.name in text


def test_the_page_is_as_it_was_looked_at(report: HostsReport) -> None:
    check("hosts.html", page.html_text(report, lang="en"))
    assert page.html_text(report, lang="fr").count("est plus lente que pc-b12-01") == 2


def test_a_document_is_read_back_as_it_was_written(report: HostsReport) -> None:
    assert HostsReport.model_validate_json(report.to_json()) == report


def test_what_others_wrote_is_shown_and_does_nothing(report: HostsReport) -> None:
    first = report.hosts[2]
    evil = "<script>x</script>\x1b[2J\u202e"
    bad = first.model_copy(
        update={
            "name": evil,
            "cause": evil,
            "candidates": tuple(one.model_copy(update={"here": evil}) for one in first.candidates),
        }
    )
    changed = report.model_copy(update={"hosts": (*report.hosts[:2], bad, *report.hosts[3:])})
    for text in (page.html_text(changed, lang="en"), printed(changed, "fr", 80)):
        assert not re.search("[\x1b\u202e]", text)
    assert "<script" not in page.html_text(changed, lang="en")


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        ((), "No host was measured"),
        (("reference",), "Only h0 was measured"),
        (("reference", "same"), "No host is shown to be slower"),
        (("reference", "unknown"), "fewer than three rounds"),
        (("reference", "apart"), "h1 is an emulator's machine"),
        (("reference", "mixed"), "h1 is slower than h0 in one and faster in another: throughput × 0.500"),
    ],
)
def test_each_way_that_it_can_come_out_is_said(
    report: HostsReport, verdicts: tuple[str, ...], says: str
) -> None:
    seen = Compared(ratio=0.5, low=0.4, high=0.6, rounds=3, better=False)
    hosts = tuple(
        HostResult(
            name=f"h{number}",
            address="x",
            state="measured",
            folder="x",
            measured=("a",),
            comparison=Comparison(verdict=verdict, aspects={"throughput": seen}),  # type: ignore[arg-type]
        )
        for number, verdict in enumerate(verdicts)
    )
    told = report.model_copy(update={"hosts": hosts, "reference": "h0" if hosts else None})
    assert says in " ".join(telling.findings(told, "en"))
    assert page.html_text(told, lang="fr")


def test_a_host_that_shares_no_cell_is_not_said_to_lack_rounds(report: HostsReport) -> None:
    one, two = (
        HostResult(name=name, address="x", state="partly", folder="x", measured=("a",), comparison=beside)
        for name, beside in (
            ("a", Comparison(verdict="reference")),
            ("b", Comparison(verdict="unknown")),
        )
    )
    told = report.model_copy(update={"hosts": (one, two), "reference": "a"})
    assert list(telling.findings(told, "en")) == [
        "b and a have measured no cell in common: nothing to compare."
    ]


def test_another_reference_than_was_asked_for_is_said(report: HostsReport) -> None:
    told = report.model_copy(update={"against": "pc9"})
    assert next(telling.findings(told, "en")).startswith(
        "pc9 was not measured: the others are compared with "
    )
    assert "pc9 n’a pas été mesurée" in page.html_text(told, lang="fr")
    same = report.model_copy(update={"against": report.reference})
    assert list(telling.findings(same, "en")) == list(telling.findings(report, "en"))


def test_an_axis_has_1_on_it_and_all_that_it_shows() -> None:
    for values in ([1.0], [0.04, 11], [0.98, 1.02], [200.0], [0.001]):
        on = page.axis(values)
        assert 1 in on.ticks
        assert 1 <= len(on.ticks) <= 8
        assert all(0 <= on.at(value) <= 100 for value in [*values, *on.ticks])
        assert on.at(1) not in {0, 100}
