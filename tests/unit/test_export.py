"""What leaves the markbook, read back by the rules of who takes it."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from domains.paths import LABS
from grader.export import documents, tables
from grader.export.rows import Export, Row, Sheet
from grader.lab import lab as labs
from grader.lab.lab import Lab
from grader.report.junit import grade_text
from grader.results.result import CheckResult, Grade, Outcome, SubmissionGrade
from grader.results.score import submission_grade

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DATA = Path(__file__).parent.parent / "data/export"
HOSTILE = (
    '=HYPERLINK("http://x","y")',
    "</td><script>alert(1)</script>",
    'Élodie "la\nrapide", d’Été',
    "\u202egnp.evil \x1b[2J\x00",
    "@SUM(A1)\ttab",
    "😀 Zoë; Ω, ñ",
    "half \ud800 pair",
    "+33 1 23",
)


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(LABS / "r202")


def results(lab: Lab, outcome: Outcome = Outcome.PASS, **others: Outcome) -> list[CheckResult]:
    """Answer all questions with one outcome, and those named (dots as underscores) with another."""
    named = {key.strip("_").replace("_", "."): value for key, value in others.items()}
    found = []
    for question in lab:
        own = named.get(question.id, outcome)
        share = {Outcome.PASS: 1.0, Outcome.PARTIAL: 0.5}.get(own, 0.0)
        found.append(
            CheckResult(
                id=question.id,
                outcome=own,
                points=question.points * share,
                max=question.points,
                expected="SECRET-EXPECTED",
                actual="an answer",
                hint="a hint",
            )
        )
    return found


def graded(student: str, found: list[CheckResult], **more: object) -> SubmissionGrade:
    return submission_grade(student, found).model_copy(update=more)


def sheet_of(lab: Lab, *rows: Row, provisional: bool = False) -> Sheet:
    grade = Grade(
        lab=lab.slug, lab_hash="a" * 64, grader_hash="b" * 64, submissions=tuple(row.grade for row in rows)
    )
    return Sheet(lab, grade, tuple(rows), NOW, provisional)


@pytest.fixture(scope="module")
def hostile(lab: Lab) -> Sheet:
    """A class of hostile names and answers, all of them right in half."""
    rows = []
    for number, name in enumerate(HOSTILE):
        found = [
            one.model_copy(update={"actual": name, "hint": name}) for one in results(lab, Outcome.PARTIAL)
        ]
        rows.append(Row(graded(f"s{number} {name}", found), name, str(100 + number), name, handed_in=NOW))
    return sheet_of(lab, *rows)


@pytest.fixture(scope="module")
def mixed(lab: Lab) -> Sheet:
    """Somebody whole, somebody waiting, somebody whom we failed, and somebody whose host could not do it."""
    hidden = CheckResult(id="hidden-check", outcome=Outcome.FAIL, points=0, max=0, hint="HIDDEN-HINT")
    return sheet_of(
        lab,
        Row(graded("ann", [*results(lab, _1_1=Outcome.FAIL), hidden]), "Ann Noether", "1", "ann@x.fr"),
        Row(graded("bob", results(lab, _1_2=Outcome.INCONCLUSIVE)), "Bob Waits", "2", "bob@x.fr"),
        Row(graded("eve", results(lab, _2_2=Outcome.ERROR)), "Eve Broken", "3", "eve@x.fr"),
        Row(graded("zoe", results(lab, _3_1=Outcome.SKIPPED)), "Zoé Hôte", "4", "zoe@x.fr"),
    )


def rows_of(export: Export) -> list[dict[str, str]]:
    (raw,) = export.files.values()
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))


def test_the_mark_is_out_of_twenty_and_what_was_not_gradable_costs_nothing(mixed: Sheet) -> None:
    assert mixed.total() == 60
    ann, _, _, zoe = mixed.rows
    assert mixed.mark(ann) == round(59 / 60 * 20, 2) == 19.67
    assert (zoe.grade.max, mixed.mark(zoe)) == (58.5, 20.0)


def test_an_unfinished_mark_is_left_empty_and_named(mixed: Sheet) -> None:
    found = {row["student"]: row["mark"] for row in rows_of(tables.plain_csv(mixed))}
    assert found == {"ann": "19.67", "bob": "", "eve": "", "zoe": "20.0"}
    said = {one.student: one.why for one in mixed.unfinished()}
    assert said == {
        "Bob Waits": "waits for review: 1.2",
        "Eve Broken": "our error, to be graded again: 2.2",
    }


def test_a_provisional_mark_goes_out_and_is_named_as_such(mixed: Sheet) -> None:
    sheet = Sheet(mixed.lab, mixed.grade, mixed.rows, NOW, provisional=True)
    found = tables.plain_csv(sheet)
    assert [row["mark"] for row in rows_of(found)] == ["19.67", "20.0", "20.0", "20.0"]
    assert not found.left
    assert [one.why for one in found.notes] == [
        "provisional: waits for review: 1.2",
        "provisional: our error, to be graded again: 2.2",
    ]


def test_csv_says_points_by_question_and_by_part(mixed: Sheet) -> None:
    ann, _, eve, zoe = rows_of(tables.plain_csv(mixed))
    assert (ann["1.1"], ann["score"], ann["max"], ann["part:processor"]) == ("0.0", "59.0", "60.0", "19.0")
    # Empty, and not 0: nobody lost these points.
    assert (eve["2.2"], zoe["3.1"]) == ("", "")
    assert (eve["errors"], zoe["part:devices"]) == ("2.2", "18.5")


@pytest.mark.parametrize("made", [tables.plain_csv, tables.nbgrader])
def test_no_cell_of_a_table_is_a_formula_or_breaks_the_row(made: object, hostile: Sheet) -> None:
    assert callable(made)
    rows = rows_of(made(hostile))
    assert len(rows) == len(HOSTILE)
    for row in rows:
        assert None not in row
        for cell in row.values():
            assert not cell.lstrip().startswith(tuple("=+-@\t\r")), cell
            assert not {"\x1b", "\x00", "\u202e", "\ud800"} & set(cell)
    assert "’Été" in rows[2]["email"]


def test_nbgrader_gets_its_columns_and_scores_before_and_after_the_late_penalty(lab: Lab) -> None:
    late = graded("ann", results(lab), score=54.0, penalty=6.0, late=90_000.0)
    sheet = sheet_of(lab, Row(late, "Ann Noether", email="ann@x.fr", handed_in=NOW))
    (row,) = rows_of(tables.nbgrader(sheet))
    theirs = "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,"
    assert ",".join(row) == theirs + "late_submission_penalty,score,max_score"
    assert (row["raw_score"], row["late_submission_penalty"], row["score"]) == ("60.0", "6.0", "54.0")
    assert datetime.fromisoformat(row["timestamp"]) == NOW
    assert sheet.mark(sheet.rows[0]) == 18.0


def test_moodles_gradebook_gets_only_who_is_known_and_marked(mixed: Sheet) -> None:
    export = tables.gradebook(mixed, "email", {"ann": "ann@x.fr", "bob": "bob@x.fr"})
    assert rows_of(export) == [{"email": "ann@x.fr", "r202 /20": "19.67"}]
    assert {one.student for one in export.left} == {"Bob Waits", "Eve Broken", "Zoé Hôte"}
    assert "one unknown user fails the import" in export.left[-1].why


def test_json_names_its_schema_and_holds_every_result(mixed: Sheet) -> None:
    (raw,) = documents.plain_json(mixed).files.values()
    data = json.loads(raw)
    assert (data["schema"], data["out_of"], data["provisional"]) == ("tdlab.marks/1", 20, False)
    assert [one["mark"] for one in data["students"]] == [19.67, None, None, 20.0]
    assert data["students"][3]["parts"][2] == {"id": "devices", "score": 18.5, "max": 18.5}
    assert len(data["students"][0]["questions"]) == len(list(mixed.lab)) + 1


def files_of(export: Export) -> dict[str, dict[str, object]]:
    assert export.is_folder
    return {name: json.loads(raw.decode("utf-8")) for name, raw in export.files.items()}


def test_gradescope_gets_a_score_of_the_whole_and_students_see_no_hidden_check(mixed: Sheet) -> None:
    export = documents.gradescope(mixed)
    found = files_of(export)
    assert list(found) == ["ann/results.json", "zoe/results.json"]
    # Gradescope's maximum is fixed: what could not be graded here must not be lost there.
    assert found["zoe/results.json"]["score"] == 60.0
    known = {"score", "execution_time", "output", "output_format", "visibility", "stdout_visibility"}
    known |= {"extra_data", "tests", "leaderboard"}
    fields = {"score", "max_score", "status", "name", "name_format", "number", "output", "output_format"}
    fields |= {"tags", "visibility", "extra_data"}
    for data in found.values():
        assert set(data) <= known
        assert data["stdout_visibility"] == "hidden"
        tests = data["tests"]
        assert isinstance(tests, list)
        for test in tests:
            assert set(test) <= fields
            assert test["visibility"] in {"hidden", "after_published"}
            assert ("score" in test) == ("status" in test)
        seen = json.dumps([one for one in tests if one["visibility"] != "hidden"])
        assert "HIDDEN-HINT" not in seen
        assert "SECRET-EXPECTED" not in seen
    tests = found["ann/results.json"]["tests"]
    assert isinstance(tests, list)
    assert tests[-1]["visibility"] == "hidden"
    assert "HIDDEN-HINT" in tests[-1]["output"]
    assert {one.student for one in export.left} == {"Bob Waits", "Eve Broken"}


def test_prairielearn_gets_a_fraction_and_nothing_hidden(mixed: Sheet, hostile: Sheet) -> None:
    for sheet in (mixed, hostile):
        for raw in documents.prairielearn(sheet).files.values():
            assert len(raw) <= 1_000_000
            data = json.loads(raw)
            assert set(data) == {"gradable", "score", "message", "output", "format_errors", "tests"}
            assert data["gradable"] is True
            assert 0 <= data["score"] <= 1
            fields = {"name", "description", "points", "max_points", "message", "output"}
            assert {frozenset(one) for one in data["tests"]} == {frozenset(fields)}
            assert b"HIDDEN" not in raw
            assert b"SECRET-EXPECTED" not in raw


def test_prairielearns_result_stays_below_a_megabyte(lab: Lab) -> None:
    found = [one.model_copy(update={"actual": "é" * 60_000}) for one in results(lab)]
    (raw,) = documents.prairielearn(sheet_of(lab, Row(graded("ann", found)))).files.values()
    assert len(raw) <= 1_000_000
    assert json.loads(raw)["score"] == 1.0


def test_check50_gets_null_where_there_is_no_verdict(mixed: Sheet) -> None:
    found = files_of(documents.check50(mixed))
    assert list(found) == ["ann.json", "bob.json", "eve.json", "zoe.json"]
    for data in found.values():
        assert set(data) == {"slug", "results", "version"}
        checks = data["results"]
        assert isinstance(checks, list)
        keys = {"name", "description", "passed", "log", "cause", "data", "dependency"}
        assert {frozenset(one) for one in checks} == {frozenset(keys)}
        assert all((one["cause"] is None) == (one["passed"] is True) for one in checks)
        assert "hidden-check" not in {one["name"] for one in checks}
    checks = found["bob.json"]["results"]
    assert isinstance(checks, list)
    passed = {one["name"]: one["passed"] for one in checks}
    assert (passed["1.1"], passed["1.2"]) == (True, None)


def test_lti_says_pending_manual_where_a_teacher_is_to_decide(mixed: Sheet) -> None:
    (raw,) = documents.lti(mixed).files.values()
    scores = [json.loads(line) for line in raw.decode("utf-8").split("\n") if line]
    progress = [one["gradingProgress"] for one in scores]
    assert progress == ["FullyGraded", "PendingManual", "Failed", "FullyGraded"]
    assert [one.get("scoreGiven") for one in scores] == [19.67, None, None, 20.0]
    for one in scores:
        # A maximum without a score, or the other way round, is refused by platforms.
        assert ("scoreGiven" in one) == ("scoreMaximum" in one)
        assert datetime.fromisoformat(one["timestamp"]) == NOW
        assert one["activityProgress"] == "Completed"


def test_a_hostile_name_is_no_path_and_two_of_them_are_two_files(hostile: Sheet, lab: Lab) -> None:
    names = ["../../etc/passwd", "a/b", "a\\b", "A-B", "", "..", "x\x00y", "con\n"]
    made = documents.file_names(names)
    assert len({one.casefold() for one in made}) == len(names)
    assert not [one for one in made if set(one) & set("/\\\x00\n") or one.startswith(".")]
    assert len(documents.check50(hostile).files) == len(HOSTILE)


def test_junit_follows_jenkins_schema_with_points_as_properties(mixed: Sheet, hostile: Sheet) -> None:
    schema = etree.RelaxNG(etree.parse(DATA / "junit.rng"))
    for sheet in (mixed, hostile):
        root = etree.fromstring(grade_text(sheet.grade).encode())
        schema.assertValid(root)
        assert len(root) == len(sheet.rows)
    ann = etree.fromstring(grade_text(mixed.grade).encode())[0]
    properties = {one.get("name"): one.get("value") for one in ann.find("properties")}
    assert (properties["1.1.points"], properties["1.1.max"], properties["1.1.outcome"]) == ("0", "1", "fail")
    assert ann.get("failures") == "2"
