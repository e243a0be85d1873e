"""Evidence by students who know how it is made: borrowed, cut down, or dated so that arithmetic breaks."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domains.paths import LABS
from grader.grading.judging import all_judged
from grader.lab import lab as labs
from grader.measure import moment
from grader.results.result import CheckResult, Outcome
from grader.submission import history, submission
from grader.submission import manifest as manifests
from grader.submission.history import HISTORY_FILE, Event
from grader.submission.samples import samples
from grader.submission.submission import Submission
from grader.submission.translation import translate
from grader.submission.verification import stamping

LAB = labs.load(LABS / "first-vm")
REPORT, ANSWERS, WORKSPACE = "evidence/report.json", "answers.yaml", "workspace.yaml"
ON_MEASURES = ("3.1", "3.2", "3.3")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return translate(LAB, samples(LAB)[0], "Zoé Émilie", tmp_path / "zoé")


def read(folder: Path) -> Submission:
    return submission.load(LAB, folder, "zoé", handed_in=True)


def judged(folder: Path) -> dict[str, CheckResult]:
    return {one.id: one for one in all_judged(LAB, read(folder), "en")}


def outcomes(folder: Path) -> set[Outcome]:
    found = judged(folder)
    return {found[name].outcome for name in ON_MEASURES}


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads((folder / REPORT).read_text())
    change(data)
    (folder / REPORT).write_text(json.dumps(data))


def rewritten(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_students_own_evidence_counts(work: Path) -> None:
    assert outcomes(work) == {Outcome.PASS}


def test_the_authors_solution_handed_in_by_a_student_earns_nothing_by_its_measures() -> None:
    given = submission.load(LAB, LAB.folder / "solution", "eve", handed_in=True)
    found = {one.id: one for one in all_judged(LAB, given, "en")}
    for name in ON_MEASURES:
        assert found[name].outcome is Outcome.INCONCLUSIVE
        assert "no readable workspace.yaml" in found[name].hint
    assert given.is_nameless


def test_the_authors_solution_still_proves_its_lab() -> None:
    given = submission.load(LAB, LAB.folder / "solution", "solution")
    assert {one.outcome for one in all_judged(LAB, given, "en")} == {Outcome.PASS}
    assert not given.is_nameless


def test_names_taken_off_do_not_make_evidence_anybodys(work: Path) -> None:
    (work / WORKSPACE).unlink()
    rewritten(work / ANSWERS, 'student: "Zoé Émilie"\n', "")
    assert outcomes(work) == {Outcome.INCONCLUSIVE}


def test_a_metric_that_was_taken_out_is_the_teachers_and_not_ours(work: Path) -> None:
    changed(work, lambda report: [cell["measurements"].pop("rtt") for cell in report["cells"]])
    found = judged(work)["3.3"]
    assert (found.outcome, "changed" in found.hint) == (Outcome.INCONCLUSIVE, True)


def test_a_metric_that_is_lost_in_verified_evidence_is_ours(work: Path) -> None:
    changed(work, lambda report: [cell["measurements"].pop("rtt") for cell in report["cells"]])
    stamping.stamp(work, LAB.slug, "Zoé Émilie", history.nonce(work))
    assert judged(work)["3.3"].outcome is Outcome.ERROR


@pytest.mark.parametrize("started", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-23:00"])
def test_a_workspace_started_at_the_end_of_time_breaks_nothing(work: Path, started: str) -> None:
    text = (work / WORKSPACE).read_text(encoding="utf-8")
    lines = [f"started: {started}" if one.startswith("started:") else one for one in text.splitlines()]
    (work / WORKSPACE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert Outcome.ERROR not in outcomes(work)


def test_a_prediction_after_a_measure_that_came_first_of_all_is_seen(work: Path) -> None:
    """Backdated, and put into the history behind a run that says it began before the first line."""
    nonce = history.nonce(work)
    changed(work, lambda report: report["stamp"].update(after=history.first_hash(nonce)))
    predicted, measured = history.parse((work / HISTORY_FILE).read_bytes())
    digest = hashlib.sha256((work / REPORT).read_bytes()).hexdigest()
    events: list[Event] = [measured.model_copy(update={"sha256": digest}), predicted]
    lines: list[bytes] = []
    for one in events:
        previous = history.line_hash(lines[-1]) if lines else history.first_hash(nonce)
        lines.append(one.model_copy(update={"previous": previous}).model_dump_json().encode())
    (work / HISTORY_FILE).write_bytes(b"\n".join(lines) + b"\n")
    found = judged(work)["3.1"]
    assert (found.outcome, "comes after the measure" in found.hint) == (Outcome.INCONCLUSIVE, True)


@pytest.mark.parametrize("name", ["zoé émilie", unicodedata.normalize("NFD", "Zoé Émilie"), " Zoé  Émilie "])
def test_a_name_written_another_way_is_the_same_name(work: Path, name: str) -> None:
    rewritten(work / ANSWERS, '"Zoé Émilie"', json.dumps(name, ensure_ascii=False))
    assert {one.outcome for one in judged(work).values()} == {Outcome.PASS}


AGES = [
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "1969-12-31T23:00:00Z",
    "3000-01-01T00:00:00Z",
]


@pytest.mark.parametrize("age", AGES)
def test_a_moment_of_no_clock_is_refused_wherever_a_student_writes_one(work: Path, age: str) -> None:
    """Whoever adds a zone to it later (reports, feedback, exports) would break for the whole class."""
    with pytest.raises(ValueError, match="is none in which this was written"):
        moment.read(age)
    manifest = {
        "schema": "tdlab.submission/1",
        "lab": "x",
        "student": "x",
        "number": 1,
        "key": "",
        "files": {},
    }
    said = manifests.parse(json.dumps({**manifest, "files": {}, "time": age}).encode())
    assert isinstance(said, str)
    assert said.startswith("manifest.json: time: ")
    changed(work, lambda report: report.update(started=age))
    assert read(work).evidence.unreadable
    event = {"what": "checked", "time": age}
    assert history.parse(json.dumps(event).encode()) == []


def test_experiments_nested_without_end_are_unreadable_and_break_nothing(tmp_path: Path) -> None:
    lab = labs.load(LABS / "r202")
    folder = translate(lab, samples(lab)[0], "carol", tmp_path / "carol")
    (folder / "evidence/experiments/exit-meter.json").write_bytes(b"[" * 100_000)
    given = submission.load(lab, folder, "carol", handed_in=True)
    found = {one.id: one for one in all_judged(lab, given, "en")}
    assert found["1.4-exits"].outcome is Outcome.INCONCLUSIVE
    assert Outcome.ERROR not in {one.outcome for one in found.values()}


def test_a_report_of_more_cells_than_any_matrix_is_not_looked_at(work: Path) -> None:
    """Eighty thousand cells would keep a core busy for half a minute, and another student waiting."""
    cell = {"id": "x", "spec": {"nic": {"model": "virtio"}}, "status": "skipped"}
    changed(work, lambda report: report.update(cells=[cell] * 40_000))
    assert "more than 20,000 parts" in (read(work).evidence.problem or "")
    assert outcomes(work) == {Outcome.INCONCLUSIVE}


def test_thousands_of_unknown_questions_are_passed_over_and_the_known_count(work: Path) -> None:
    with (work / ANSWERS).open("a", encoding="utf-8") as answers:
        answers.writelines(f"  k{number}: 1\n" for number in range(5000))
    assert {one.outcome for one in judged(work).values()} == {Outcome.PASS}
