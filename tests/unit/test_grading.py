"""Grading in one session that a submission cannot change."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from domains.errors import InfrastructureError, InputError, UsageError
from domains.paths import LABS
from grader.grading import gradebook, grading
from grader.lab import lab as labs
from grader.results.result import Outcome
from grader.submission import identity

# One with tests of its own, which pytest collects, and a small one.
R202, SMALL = LABS / "r202", LABS / "first-vm"
TRAPS = {
    "conftest.py": "raise SystemExit('conftest ran')",
    "pytest.ini": "[pytest]\naddopts = --collect-only\npython_files = *.py\n",
    "sitecustomize.py": "raise SystemExit('sitecustomize ran')",
    "test_steal.py": "import os; os._exit(0)",
    "grader.py": "raise SystemExit('grader was replaced')",
    "yaml.py": "raise SystemExit('yaml was replaced')",
    "evidence/conftest.py": "raise SystemExit('conftest ran')",
}


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    folder = tmp_path / "student"
    shutil.copytree(SMALL / "solution", folder)
    return folder


def test_what_lies_outside_of_the_lab_is_somebodys_also_without_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "somebody"
    shutil.copytree(R202 / "solution", folder)
    own, others = (grading.grade(R202, [one]).submissions[0] for one in (R202 / "solution", folder))
    copies = grading.grade(R202, [folder], samples=True).submissions[0]
    assert {one.id for one in own.questions if one.outcome is Outcome.INCONCLUSIVE} == set()
    assert {one.id for one in copies.questions if one.outcome is Outcome.INCONCLUSIVE} == set()
    left = [one for one in others.questions if one.outcome is Outcome.INCONCLUSIVE]
    assert "3.1-exits" in {one.id for one in left}
    assert all("workspace.yaml" in one.hint for one in left)
    assert not [one for one in others.questions if one.outcome in {Outcome.FAIL, Outcome.ERROR}]


@pytest.mark.parametrize(
    ("workspace", "said"),
    [(None, "vos réponses"), ("fr", "vos réponses"), ("en", "your answers"), ("??", "vos réponses")],
)
def test_answers_that_cannot_be_read_are_answered_in_the_workspaces_language_or_else_the_labs(
    tmp_path: Path, workspace: str | None, said: str
) -> None:
    folder = tmp_path / "somebody"
    folder.mkdir()
    (folder / "answers.yaml").write_text("lang: en\nanswers: [")
    if workspace:
        (folder / "workspace.yaml").write_text(identity.text("r202", "somebody", workspace, None))
    (found,) = grading.grade(R202, [folder]).submissions
    assert [one.hint for one in found.questions if said not in one.hint] == []


def test_a_submission_is_never_run_whatever_it_holds(
    submission: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(R202 / "solution", submission, dirs_exist_ok=True)
    clean = grading.grade(R202, [submission])
    for name, text in TRAPS.items():
        (submission / name).write_text(text)
    monkeypatch.chdir(submission)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only -p test_steal")
    monkeypatch.setenv("PYTEST_PLUGINS", "test_steal")
    monkeypatch.setenv("PYTHONPATH", str(submission))
    assert grading.grade(R202, [submission]) == clean
    assert os.environ["PYTEST_ADDOPTS"] == "--collect-only -p test_steal"
    assert os.environ["PYTHONPATH"] == str(submission)


def test_grading_leaves_nothing_in_the_submission_and_prints_nothing(
    submission: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(file.relative_to(submission) for file in submission.rglob("*"))
    lab_before = sorted(SMALL.rglob("*"))
    grading.grade(SMALL, [submission])
    assert sorted(file.relative_to(submission) for file in submission.rglob("*")) == before
    assert sorted(SMALL.rglob("*")) == lab_before
    assert capsys.readouterr().out == ""


def test_the_same_submissions_get_the_same_grade_in_any_order(submission: Path) -> None:
    wrong = SMALL / "wrong-emulated-card"
    one = grading.grade(SMALL / "lab.yaml", [submission, wrong])
    other = grading.grade(SMALL, [wrong, submission])
    assert one.submissions == tuple(reversed(other.submissions))
    assert one.lab_hash == other.lab_hash


def test_the_grade_follows_its_published_form(submission: Path) -> None:
    data = json.loads(grading.grade(SMALL, [submission]).model_dump_json(by_alias=True))
    assert data["schema"] == "tdlab.grade/1"
    assert set(data) == {"schema", "lab", "lab_hash", "grader_hash", "submissions"}
    (student,) = data["submissions"]
    assert set(student) == {"student", "score", "max", "late", "penalty", "unverified", "questions"}
    wanted = {"id", "outcome", "points", "max", "cost", "expected", "actual", "hint", "evidence"}
    assert {frozenset(one) for one in student["questions"]} == {frozenset(wanted)}
    assert len(data["lab_hash"]) == len(data["grader_hash"]) == 64


def test_what_was_asked_wrongly_is_said_before_anything_runs(submission: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a submission"):
        grading.grade(SMALL, [submission, tmp_path / "nobody"])
    (tmp_path / "lab.yaml").write_text("schema: tdlab.lab/1\n")
    with pytest.raises(InputError):
        grading.grade(tmp_path, [submission])


def test_a_file_that_cannot_be_read_is_ours(submission: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("grader.submission.sources.os.open", denied)
    (student,) = grading.grade(SMALL, [submission]).submissions
    assert {one.outcome for one in student.questions} == {Outcome.ERROR}
    assert "Permission denied" in student.questions[0].hint
    assert student.max == 0


def test_what_a_fault_of_ours_quotes_is_inert(submission: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def quoting(*_: object) -> None:
        raise RuntimeError("cannot judge \x1b[2Jpassed\u202e")

    monkeypatch.setattr("grader.grading.judging.check", quoting)
    (student,) = grading.grade(SMALL, [submission]).submissions
    tested = {one.id for one in labs.load(SMALL) if one.kind == "code"}
    assert {one.outcome for one in student.questions if one.id not in tested} == {Outcome.ERROR}
    assert "cannot judge ⟨U+001B⟩[2Jpassed⟨U+202E⟩" in student.questions[0].hint


def test_a_session_without_a_grade_is_ours(submission: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradebook.Recorder, "_lab", lambda _: None)
    with pytest.raises(InfrastructureError, match="no grade"):
        grading.grade(SMALL, [submission])


def test_an_interrupt_is_not_swallowed(submission: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("grader.grading.judging.check", interrupted)
    with pytest.raises(KeyboardInterrupt):
        grading.grade(SMALL, [submission])
