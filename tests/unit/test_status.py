"""How far a student is: which measures are there is said by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from domains.paths import LABS
from grader.cli import tdlab
from grader.lab import lab as labs
from grader.language import LANGUAGES, Lang
from grader.workspace import progress, sayings, workspace
from grader.workspace.workspace import Workspace

LAB = labs.load(LABS / "r202")
SAMPLE = LAB.folder / "solution" / "evidence"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "60")
    return workspace.start(LAB, "Zoé L", "fr", tmp_path / "work")[0]


def told(place: Workspace, lang: Lang) -> dict[str, str]:
    """Return what is said of measures, by the text that says it."""
    texts = {"measured": sayings.MEASURED, "cannot": sayings.CANNOT, "left": sayings.LEFT}
    lines = progress.look(place).told(lang)
    begins = {name: text.say(lang, measures="") for name, text in texts.items()}
    return {
        name: line.removeprefix(begin)
        for name, begin in begins.items()
        for line in lines
        if line.startswith(begin)
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_measured_what_cannot_be_and_what_is_left_are_named(place: Workspace, lang: Lang) -> None:
    kept = place.folder / "evidence" / "experiments"
    kept.mkdir(parents=True, exist_ok=True)
    sample = (SAMPLE / "experiments" / "ps.json").read_text()
    (kept / "ps.json").write_text(sample)
    (kept / "vmcs.json").write_text(sample.replace('"status": "measured"', '"status": "skipped"'))
    (kept / "lock.json").write_text("{")
    found = told(place, lang)
    assert (found["measured"], found["cannot"]) == ("ps", "vmcs")
    assert found["left"].startswith("`tdlab bench`, trap-and-emulate, ")
    assert "lock" in found["left"].split(", ")
    (place.folder / "evidence" / "report.json").write_bytes((SAMPLE / "report.json").read_bytes())
    assert told(place, lang)["measured"] == "`tdlab bench`, ps"


def test_no_line_is_too_wide_and_the_document_says_the_same(place: Workspace) -> None:
    def does(*words: str) -> str:
        return CliRunner().invoke(tdlab, ["status", str(place.folder), *words], standalone_mode=False).stdout

    shown = does()
    assert "`tdlab measure r202 NOM`" in shown
    assert max(map(len, shown.splitlines())) <= 60
    listed = json.loads(does("--json"))
    assert listed["measured"] is False
    assert {"name": "ps", "status": None} in listed["measures"]
