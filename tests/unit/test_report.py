"""Reports as a whole, against golden files; ``TDLAB_UPDATE_GOLDEN=1`` writes them anew."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from lxml import etree
from rich.console import Console

from domains import process
from grader import report
from grader.measure import run
from grader.measure.run import Run
from grader.report.html import html_text
from grader.report.junit import junit_text
from grader.report.samples import csv_text
from grader.report.story import kept
from grader.report.terminal import print_grade, print_run
from grader.results.result import Grade

DATA = Path(__file__).parent.parent / "data/report"


def assert_golden(name: str, text: str) -> None:
    golden = DATA / name
    if os.environ.get("TDLAB_UPDATE_GOLDEN") == "1":
        golden.write_text(text, encoding="utf-8", newline="")
    assert golden.exists(), f"no golden file {name}: look at the output, then run with TDLAB_UPDATE_GOLDEN=1"
    # Not a bare comparison: the difference of two pages is of no use on a screen.
    same = golden.read_bytes() == text.encode()
    assert same, f"{name} differs; if that is meant, TDLAB_UPDATE_GOLDEN=1 and look at git diff"


@pytest.fixture
def tcg() -> Run:
    return run.read(DATA / "run.json")


@pytest.fixture
def kvm() -> Run:
    return run.read(DATA / "run-kvm.json")


@pytest.fixture
def grade() -> Grade:
    return Grade.model_validate_json((DATA / "grade.json").read_bytes())


def console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, color_system=None, highlight=False)


def printed(one: Console) -> str:
    assert isinstance(one.file, io.StringIO)
    return one.file.getvalue()


def test_html_is_golden(tcg: Run, kvm: Run, grade: Grade) -> None:
    assert_golden("run.html", html_text(tcg, grade))
    assert_golden("run-kvm.fr.html", html_text(kvm, lang="fr"))


def test_the_story_is_golden(kvm: Run) -> None:
    named = kvm.environment | {"emulator": "QEMU 10.0.13, TCG"}
    emulated = kvm.model_copy(update={"environment": named})
    assert_golden("story.html", html_text(emulated, shelf=kept.find(DATA)))


def test_csv_is_golden(tcg: Run) -> None:
    assert_golden("run.csv", csv_text(tcg))


def test_junit_is_golden(tcg: Run, grade: Grade) -> None:
    assert_golden("junit.xml", junit_text(tcg, grade))


@pytest.mark.parametrize("width", [100, 40])
def test_terminal_is_golden(width: int, tcg: Run, kvm: Run, grade: Grade) -> None:
    for name, one in (("run", tcg), ("run-kvm", kvm)):
        on = console(width)
        print_run(one, on)
        assert_golden(f"{name}.{width}.txt", printed(on))
    on = console(width)
    print_grade(grade, on)
    assert_golden(f"grade.{width}.txt", printed(on))


def test_write_writes_all_four_whole(tcg: Run, grade: Grade, tmp_path: Path) -> None:
    folder = tmp_path / "a new/folder"
    written = report.write(tcg, folder, grade)
    assert [file.name for file in written] == ["report.json", "report.csv", "junit.xml", "report.html"]
    assert sorted(folder.iterdir()) == sorted(written)
    assert run.read(folder / "report.json") == tcg
    assert (folder / "report.html").read_text(encoding="utf-8") == html_text(tcg, grade)
    assert etree.parse(folder / "junit.xml").getroot().tag == "testsuites"


def test_a_write_that_fails_leaves_the_old_report(
    tcg: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report.write(tcg, tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        report.write(tcg.model_copy(update={"id": "other"}), tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_importing_the_report_loads_nothing_heavy() -> None:
    code = (
        "import sys, grader.report, grader.report.terminal, grader.language.i18n\n"
        "print(sorted({'babel', 'rich', 'jinja2', 'scipy', 'libvirt'} & set(sys.modules)))"
    )
    done = process.run([sys.executable, "-c", code], timeout=60, cwd=DATA.parent.parent.parent)
    assert done.stdout.strip() == "[]"


def test_a_run_with_nothing_measured_has_a_report(tcg: Run) -> None:
    nothing = tcg.model_copy(update={"cells": tuple(c for c in tcg.cells if c.status != "measured")})
    assert "No throughput was measured in this run." in html_text(nothing)
    empty = tcg.model_copy(update={"cells": (), "environment": {}, "workload": {}, "notes": ()})
    assert "Aucun débit n’a été mesuré" in html_text(empty, lang="fr")
    on = console(80)
    print_run(empty, on)
    assert printed(on) == ""
