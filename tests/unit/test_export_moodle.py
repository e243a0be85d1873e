"""Moodle's worksheet and ZIP: what was downloaded comes back with marks, all else untouched."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.errors import InputError, UsageError
from domains.paths import LABS
from grader.export import cells, worksheet
from grader.export.moodle_zip import feedback_zip
from grader.export.rows import Export, Row, Sheet
from grader.lab import lab as labs
from grader.results.result import CheckResult, Grade, Outcome, SubmissionGrade
from grader.results.score import submission_grade

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
# As Moodle writes it in a French interface: no space in the identifier, and decimal commas.
FRENCH = (
    'Identifiant,"Nom complet","Adresse de courriel",Statut,Note,"Note maximale",'
    '"La note peut être modifiée","Dernière modification (travail remis)",'
    '"Dernière modification (note)","Feedback par commentaires"\r\n'
    'Participant101,"Élodie Martin",elodie@x.fr,"Remis pour évaluation",,"20,00",Oui,'
    '"lundi 23 novembre 2026, 10:15",-,\r\n'
    'Participant102,"Bob, ""le"" Bref",bob@x.fr,"Remis pour évaluation","12,50","20,00",Oui,'
    '"lundi 23 novembre 2026, 10:16","lundi 23 novembre 2026, 11:00","<p>Deux\nlignes</p>"\r\n'
    'Participant103,=cmd,zoe@x.fr,"Aucun travail remis",,"20,00",Oui,-,-,\r\n'
    'Participant104,"Zoé Close",,"Remis pour évaluation","3,00","20,00",Non,-,-,\r\n'
)
ENGLISH = (
    'Identifier,"Full name",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    'Participant 101,"Ann Noether",Submitted,,100.00,Yes,-,-,\n'
    'Participant 102,"Bob Bref",Submitted,95.00,100.00,Yes,-,"Monday, 23 November 2026, 10:15 AM",\n'
)


def sheet_of(*rows: Row) -> Sheet:
    lab = labs.load(LABS / "r202")
    grade = Grade(lab="r202", lab_hash="", grader_hash="", submissions=tuple(row.grade for row in rows))
    return Sheet(lab, grade, rows, NOW)


def graded(student: str, points: float, outcome: Outcome = Outcome.PARTIAL) -> SubmissionGrade:
    return submission_grade(student, [CheckResult(id="1.1", outcome=outcome, points=points, max=20)])


def filled(sheet: Sheet, text: str | bytes, folder: Path) -> tuple[bytes, Export]:
    file = folder / "Notes-R202.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    export = worksheet.filled(sheet, worksheet.read(file))
    assert list(export.files) == ["Notes-R202.csv"]
    return export.files["Notes-R202.csv"], export


def reasons(export: Export) -> dict[str, str]:
    return {one.student: one.why for one in (*export.left, *export.notes)}


def parsed(raw: bytes, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode(encoding), newline="")))


@pytest.fixture
def french() -> Sheet:
    return sheet_of(
        Row(graded("elodie", 15.5), "Élodie Martin", "101"),
        Row(graded("bob", 12.5), "Bob", "", "BOB@x.fr"),
        Row(graded("zoe", 18), "Zoé  close"),
        Row(graded("dan", 9), "Dan Ailleurs", "999"),
    )


def test_a_french_worksheet_gets_its_marks_and_keeps_every_other_byte(french: Sheet, tmp_path: Path) -> None:
    raw, _ = filled(french, FRENCH, tmp_path)
    assert raw.decode() == FRENCH.replace('évaluation",,"20,00"', 'évaluation","15,50","20,00"', 1)
    rows = parsed(raw)
    assert [row["Note"] for row in rows] == ["15,50", "12,50", "", "3,00"]
    assert rows[1]["Nom complet"] == 'Bob, "le" Bref'


def test_rows_that_moodle_would_skip_in_silence_are_named(french: Sheet, tmp_path: Path) -> None:
    _, export = filled(french, FRENCH, tmp_path)
    found = reasons(export)
    assert found["Dan Ailleurs"] == "no such student in the worksheet"
    assert found["Zoé  close"].startswith("locked")
    assert found["=cmd"] == "nothing handed in: left as it was"
    bob = [one.why.split(":")[0] for one in export.notes if one.student == "Bob"]
    assert bob[1:] == ["unchanged", "stale"]
    assert "Élodie Martin" not in found
    (how,) = [one.why for one in export.notes if one.student == "Bob" and "found by" in one.why]
    assert how == "found by address, for the number is not known: Participant102"


def test_an_english_worksheet_of_a_hundred_gets_marks_of_a_hundred(tmp_path: Path) -> None:
    sheet = sheet_of(
        Row(graded("ann", 15.5), "Ann Noether", "101"), Row(graded("bob", 10), "Bob Bref", "102")
    )
    raw, export = filled(sheet, ENGLISH, tmp_path)
    assert [row["Grade"] for row in parsed(raw)] == ["77.50", "50.00"]
    assert raw.decode() == ENGLISH.replace(",,100", ",77.50,100").replace(",95.00,", ",50.00,")
    # An English date is one that Moodle can read: whether somebody graded since, only Moodle knows.
    assert not reasons(export)


def test_marks_that_moodle_would_refuse_are_named(tmp_path: Path) -> None:
    sheet = sheet_of(Row(graded("ann", 25), id="101"), Row(graded("bob", -1), id="102"))
    _, export = filled(sheet, ENGLISH, tmp_path)
    assert [one.why.split(":")[0] for one in export.notes] == ["above the maximum (125 > 100)", "negative"]


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.SKIPPED])
def test_what_is_unfinished_leaves_its_row_as_it_was(outcome: Outcome, tmp_path: Path) -> None:
    sheet = sheet_of(
        Row(graded("ann", 0, outcome), "Ann", "101"), Row(graded("bob", 0, outcome), "Bob", "102")
    )
    raw, export = filled(sheet, ENGLISH, tmp_path)
    assert raw.decode() == ENGLISH
    assert all(why.endswith(": left as it was") for why in reasons(export).values())
    assert len(export.left) == 2


@pytest.mark.parametrize(
    ("encoding", "mark", "end", "delimiter"),
    [("utf-8", b"\xef\xbb\xbf", "\r\n", ","), ("cp1252", b"", "\r\n", ";"), ("utf-8", b"", "\r", "\t")],
)
def test_mark_encoding_ends_of_line_and_delimiter_stay(
    encoding: str, mark: bytes, end: str, delimiter: str, tmp_path: Path
) -> None:
    head = ["Identifiant", "Nom complet", "Note", "Note maximale", "Dernière modification (note)"]
    lines = [
        head,
        ["Participant101", "Élodie", "", "20,00", "-"],
        ["Participant7", "Noël", "1", "20,00", "-"],
    ]
    text = end.join(delimiter.join(f'"{one}"' if delimiter in one else one for one in line) for line in lines)
    sheet = sheet_of(Row(graded("elodie", 15.5), id="101"))
    raw, _ = filled(sheet, mark + text.encode(encoding), tmp_path)
    quoted = '"15,50"' if delimiter == "," else "15,50"
    wanted = text.replace(f"Élodie{delimiter}{delimiter}", f"Élodie{delimiter}{quoted}{delimiter}")
    assert raw == mark + wanted.encode(encoding)


def test_two_students_of_one_name_get_no_mark_by_it(tmp_path: Path) -> None:
    sheet = sheet_of(Row(graded("a", 10), "Ann Noether"), Row(graded("b", 5), "ann noether"))
    raw, export = filled(sheet, ENGLISH, tmp_path)
    assert raw.decode() == ENGLISH
    assert [one.why for one in export.left[:2]] == ["no such student in the worksheet"] * 2


def test_a_number_is_matched_whole(tmp_path: Path) -> None:
    raw, export = filled(sheet_of(Row(graded("a", 10), "X", "01")), ENGLISH, tmp_path)
    assert raw.decode() == ENGLISH
    assert export.left[0].why == "no such student in the worksheet"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "no grading worksheet"),
        ("", "no grading worksheet"),
        (
            ENGLISH.replace("Last modified (grade)", "Zuletzt geändert"),
            "last modified \\(grade\\) / derniere",
        ),
        (ENGLISH.encode("utf-16"), "not UTF-8"),
        ("Identifier,Grade\x00", "not UTF-8"),
    ],
)
def test_what_is_no_worksheet_is_refused(text: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        filled(sheet_of(), text, tmp_path)


def test_an_open_quote_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Notes-R202.csv:2:5: this quote is never closed"):
        filled(sheet_of(), 'a,b\n1,2,"x\n', tmp_path)


def test_addresses_for_the_gradebook_come_from_the_worksheet(french: Sheet, tmp_path: Path) -> None:
    file = tmp_path / "w.csv"
    file.write_text(FRENCH, encoding="utf-8")
    found = worksheet.keys(french.rows, worksheet.read(file), "email")
    assert found == {"elodie": "elodie@x.fr", "bob": "bob@x.fr", "zoe": ""}
    with pytest.raises(UsageError, match="no column for idnumber"):
        worksheet.keys(french.rows, worksheet.read(file), "idnumber")


FIELDS = st.lists(
    st.lists(st.text('aé,;"\r\n\t =', max_size=6), min_size=2, max_size=4), min_size=1, max_size=5
)


@given(FIELDS)
def test_cells_are_read_as_the_csv_module_wrote_them_and_written_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, fields: list[list[str]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a,a", *fields[0]], *fields])
    file = tmp_path_factory.getbasetemp() / "cells.csv"
    file.write_bytes(b"head,er\n" + text.getvalue().encode())
    found = cells.read(file)
    assert [[one.text for one in row] for row in found.rows[1:]] == [["a,a", *fields[0]], *fields]
    assert found.write() == file.read_bytes()


def as_moodle_reads(path: str) -> tuple[int, str, str]:
    """Return participant, plugin and file of a member, by the rule of Moodle's importer."""
    parts = path.split("/")
    while parts:
        info = parts.pop(0).split("_", 4)
        if len(info) >= 4 and info[1].isdigit():
            rest = info[4] if len(info) == 5 else ""
            return int(info[1]), f"{info[2]}_{info[3]}", "/".join([one for one in (rest, *parts) if one])
    raise AssertionError(path)


def test_the_feedback_zip_is_what_moodle_takes() -> None:
    sheet = sheet_of(
        Row(graded("a", 1), "Ann_1 Noether", "101", folder="Ann 1 Noether_101_assignsubmission_file_"),
        Row(graded("b", 1), "../../etc\\x", "102"),
        Row(graded("c", 1), "\u202eévil 😀_999_\x00", "103"),
        Row(graded("d", 1), "Nobody", ""),
        Row(graded("e", 1), "Nobody", "١٢"),
    )
    export = feedback_zip(sheet, lambda row: f"<p>{row.student}</p>")
    raw = export.files["r202.feedback.zip"]
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
        found = {as_moodle_reads(one.filename): archive.read(one).decode() for one in archive.infolist()}
        assert not [
            one for one in archive.namelist() if ".." in one.split("/") or "\\" in one or "\x00" in one
        ]
    file = "feedback-r202.html"
    assert found == {
        (101, "assignfeedback_file", file): "<p>a</p>",
        (102, "assignfeedback_file", file): "<p>b</p>",
        (103, "assignfeedback_file", file): "<p>c</p>",
    }
    assert len(export.left) == 2
    assert raw == feedback_zip(sheet, lambda row: f"<p>{row.student}</p>").files["r202.feedback.zip"]
