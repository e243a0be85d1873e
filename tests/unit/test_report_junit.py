"""JUnit: FAIL is a failure, ERROR is an error, and neither is ever the other."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from grader.measure import run
from grader.report.junit import junit_text
from grader.report.story import kept
from grader.results.result import Grade

DATA = Path(__file__).parent.parent / "data/report"


def suites(text: str) -> dict[str, etree._Element]:
    return {str(one.get("name")): one for one in etree.fromstring(text.encode())}


def test_counts_match_the_cases() -> None:
    grade = Grade.model_validate_json((DATA / "grade.json").read_bytes())
    found = suites(junit_text(run.read(DATA / "run.json"), grade))
    assert list(found) == [
        "tdlab.run.fixture-tcg",
        "tdlab.grade.r202.solution",
        "tdlab.grade.r202.wrong-direct",
    ]
    counts = {
        name: tuple(int(one.get(key, "?")) for key in ("tests", "failures", "errors", "skipped"))
        for name, one in found.items()
    }
    assert list(counts.values()) == [(14, 0, 1, 3), (2, 0, 0, 0), (6, 2, 1, 2)]


def test_a_skipped_cell_has_its_cause_and_remedy() -> None:
    found = suites(junit_text(run.read(DATA / "run.json")))["tdlab.run.fixture-tcg"]
    skipped = found.find("testcase[@name='hostdev']/skipped")
    assert skipped is not None
    assert str(skipped.get("message")).startswith("no IOMMU")
    assert "Switch VT-d on" in str(skipped.text)


def test_what_cannot_be_measured_is_a_property_with_its_cause_and_no_number() -> None:
    found = suites(junit_text(run.read(DATA / "run.json")))["tdlab.run.fixture-tcg"]
    properties = {one.get("name"): one.get("value") for one in found.find("properties")}
    assert "e1000.exits_per_mb.median" not in properties
    assert str(properties["e1000.exits_per_mb.not_measurable"]).startswith("TCG has no VM exits")
    assert str(properties["e1000.tcp_to_guest.median"]).endswith(" Mbit/s")


def test_control_characters_do_not_break_the_file() -> None:
    one = run.read(DATA / "run.json")
    broken = one.model_copy(
        update={"cells": (one.cells[-1].model_copy(update={"cause": "\x00\x1b[2J ]]> <x>"}),)}
    )
    (suite,) = suites(junit_text(broken)).values()
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("message") == "⟨U+0000⟩⟨U+001B⟩[2J ]]> <x>"


def test_an_experiment_is_a_case_of_its_own() -> None:
    found = suites(junit_text(run.read(DATA / "run-kvm.json"), None, kept.find(DATA)))
    suite = found["tdlab.experiments.fixture-kvm"]
    counts = tuple(int(suite.get(key, "?")) for key in ("tests", "failures", "errors", "skipped"))
    assert counts == (6, 0, 1, 1)
    skipped = suite.find("testcase[@name='iommu']/skipped")
    assert skipped is not None
    assert str(skipped.get("message")).startswith("iommu: no IOMMU groups")
    properties = {one.get("name"): one.get("value") for one in suite.find("properties")}
    assert properties["shadow-paging.fork-time-off.median"] == "11.2 s"
    assert properties["shadow-paging.emulator"] == "QEMU 10.0.13, TCG"
    assert properties["shadow-paging.zapped.not_measurable"].startswith("QEMU reports no")
