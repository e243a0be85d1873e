"""From a class as Moodle gives it to a markbook, and out of it again."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domains.paths import LABS
from grader import cli
from grader.classroom import marking
from grader.classroom.markbook import open_markbook
from grader.classroom.policy import Policy
from grader.commands.export import FORMATS
from grader.export import formats
from grader.lab import lab as labs
from grader.language.i18n import points
from grader.results.score import mark
from grader.submission.samples import Sample
from grader.submission.translation import translate

R202 = LABS / "r202"
WORKSHEET = (
    'Identifiant,"Nom complet","Adresse de courriel",Note,"Note maximale","Dernière modification (note)"\r\n'
    'Participant11,"Ann Noether",ann@x.fr,,"20,00",-\r\n'
    'Participant12,"Bob Bref",bob@x.fr,,"20,00",-\r\n'
)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("class")
    lab = labs.load(R202)
    for name, number, sample in (("Ann Noether", 11, "solution"), ("Bob Bref", 12, "wrong-host-card")):
        translate(lab, Sample(R202 / sample), name, root / f"class/{name}_{number}_assignsubmission_file_")
    answers = root / "class/Bob Bref_12_assignsubmission_file_/answers.yaml"
    answers.write_text(answers.read_text().replace("lang: fr", "lang: en"), encoding="utf-8")
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    marking.mark(R202, root / "class", root / "book", Policy(), jobs=1, lang=None, now=now)
    return root / "book"


def bobs(book: Path) -> float:
    """Return the mark of who got one question wrong: what it is worth is the lab's business."""
    value = mark(open_markbook(book).grade().submissions[1])
    assert value is not None
    assert 15 < value < 20
    return value


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.tdlab, [str(one) for one in arguments], standalone_mode=False)


def test_every_format_is_offered() -> None:
    assert tuple(formats.FORMATS) == FORMATS


def test_the_worksheet_comes_back_filled_in(book: Path, tmp_path: Path) -> None:
    worksheet = tmp_path / "Notes.csv"
    worksheet.write_bytes(WORKSHEET.encode())
    done = run(
        "export", book, "--format", "moodle", "--worksheet", worksheet, "--out", tmp_path / "filled.csv"
    )
    assert (done.return_value, done.exception) == (0, None)
    with (tmp_path / "filled.csv").open(newline="", encoding="utf-8") as file:
        marks = {row["Nom complet"]: row["Note"] for row in csv.DictReader(file)}
    assert marks == {"Ann Noether": "20,00", "Bob Bref": f"{bobs(book):.2f}".replace(".", ",")}
    assert worksheet.read_bytes() == WORKSHEET.encode()


def test_the_gradebook_asks_the_worksheet_for_addresses(book: Path, tmp_path: Path) -> None:
    worksheet, out = tmp_path / "w.csv", tmp_path / "g.csv"
    worksheet.write_bytes(WORKSHEET.encode())
    done = run(
        "export", book, "--format", "moodle-gradebook", "--worksheet", worksheet, "--out", out, "--json"
    )
    assert json.loads(done.stdout)["left"] == []
    assert out.read_text(encoding="utf-8").splitlines()[1:] == ['"ann@x.fr",20.0', f'"bob@x.fr",{bobs(book)}']
    # The number in a downloaded folder is no user's: it must not be passed off as one.
    refused = run("export", book, "--format", "moodle-gradebook", "--by", "id")
    assert "does not say the id" in str(refused.exception)


def test_the_feedback_zip_holds_each_students_page_in_their_language(book: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.zip"
    assert run("export", book, "--format", "moodle-feedback", "--out", out).return_value == 0
    with zipfile.ZipFile(out) as archive:
        pages = {name: archive.read(name).decode() for name in archive.namelist()}
    ann, bob = (f"{who}_assignfeedback_file/feedback-r202.html" for who in ("Ann Noether_11", "Bob Bref_12"))
    assert list(pages) == [ann, bob]
    assert '<html lang="fr">' in pages[ann]
    assert '<html lang="en">' in pages[bob]
    assert "Bob" not in pages[ann]


def test_nothing_is_overwritten_unasked(book: Path, tmp_path: Path) -> None:
    out = tmp_path / "marks.csv"
    out.write_text("precious")
    assert "is there already" in str(run("export", book, "--format", "csv", "--out", out).exception)
    assert out.read_text() == "precious"
    assert run("export", book, "--format", "csv", "--out", out, "--force").return_value == 0
    assert "Ann Noether" in out.read_text(encoding="utf-8")
    folder = tmp_path / "pages"
    assert run("feedback", book, "--into", folder).return_value == 0
    assert "is there already" in str(run("feedback", book, "--into", folder).exception)


@pytest.mark.parametrize("name", [one for one in FORMATS if one not in {"moodle", "moodle-gradebook"}])
def test_each_format_goes_where_it_is_asked_to(name: str, book: Path, tmp_path: Path) -> None:
    done = run("export", book, "--format", name, "--out", tmp_path / "out", "--json")
    assert done.return_value == 0
    told = json.loads(done.stdout)
    assert (told["schema"], told["format"], told["left"]) == ("tdlab.export/1", name, [])
    assert all(Path(one).stat().st_size for one in told["files"])


def test_feedback_can_be_had_for_one_student_and_in_another_language(book: Path, tmp_path: Path) -> None:
    done = run("feedback", book, "Ann Noether", "--into", tmp_path, "--lang", "en", "--json")
    (page,) = json.loads(done.stdout)["pages"]
    text = Path(page["file"]).read_text(encoding="utf-8")
    assert '<html lang="en">' in text
    assert "Your work was not signed" in text
    assert "has no student 'nobody'" in str(run("feedback", book, "nobody", "--into", tmp_path).exception)


def test_the_report_is_a_page_and_a_document(book: Path, tmp_path: Path) -> None:
    done = run("report", book, "--out", tmp_path / "class.html", "--lang", "en")
    assert done.return_value == 0
    assert f"2 students, marks out of 20, mean {points(10 + bobs(book) / 2, 'en')}" in done.stdout
    page = (tmp_path / "class.html").read_text(encoding="utf-8")
    assert "Ann Noether" in page
    data = json.loads(run("report", book, "--json", "--anonymous").stdout)
    assert data["schema"] == "tdlab.class/1"
    assert {one["student"] for one in data["students"]} == {"#001", "#002"}


@pytest.mark.parametrize("command", [("export", "--format", "csv"), ("report",), ("feedback", "--into", "x")])
def test_what_is_no_markbook_is_refused(command: tuple[str, ...], tmp_path: Path) -> None:
    assert "is no markbook" in str(run(command[0], tmp_path, *command[1:]).exception)


def test_hints_are_in_the_language_of_the_page_and_points_as_they_were(book: Path, tmp_path: Path) -> None:
    run("feedback", book, "Bob Bref", "--into", tmp_path / "own")
    run("feedback", book, "Bob Bref", "--into", tmp_path / "asked", "--lang", "fr")
    own, asked = ((tmp_path / one / "Bob Bref.html").read_text(encoding="utf-8") for one in ("own", "asked"))
    assert "The e1000 does not exist" in own
    assert "L’e1000 n’existe pas" in asked
    assert "The e1000 does not exist" not in asked
    said = points(bobs(book), "en")
    assert said in own
    assert said.replace(".", ",") in asked


@pytest.mark.usefixtures("judged_here")
def test_the_workspace_says_when_it_was_made(tmp_path: Path) -> None:
    folder = tmp_path / "class/Ann_1_assignsubmission_file_"
    shutil.copytree(R202 / "solution", folder)
    text = (
        "schema: tdlab.workspace/1\nlab: r202\nstudent: Ann\nlang: fr\nstarted: 2099-01-01T00:00:00+00:00\n"
    )
    (folder / "workspace.yaml").write_text(text)
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    marking.mark(R202, tmp_path / "class", tmp_path / "book", Policy(), jobs=1, lang=None, now=now)
    data = json.loads(run("report", tmp_path / "book", "--json").stdout)
    assert [one["kind"] for one in data["oddities"]] == ["begun-after", "measured-before"]


@pytest.mark.usefixtures("judged_here")
def test_what_could_not_be_read_is_named_everywhere(tmp_path: Path) -> None:
    shutil.copytree(R202 / "solution", tmp_path / "class/Ann_1_assignsubmission_file_")
    torn = tmp_path / "class/Zoe_2_assignsubmission_file_/work.zip"
    torn.parent.mkdir()
    torn.write_bytes(b"PK\x03\x04 torn")
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    book = tmp_path / "book"
    marking.mark(R202, tmp_path / "class", book, Policy(), jobs=1, lang=None, now=now)
    (note,) = json.loads(run("export", book, "--format", "csv", "--json").stdout)["notes"]
    assert note["student"] == "Zoe"
    assert note["why"].startswith("it could not be read whole: ")
    assert "the work of 1 student could not be read" in run("report", book, "--lang", "en").stdout
    assert "Nothing could be read" in (book / "class.html").read_text(encoding="utf-8")
    run("feedback", book, "--into", tmp_path / "pages", "--lang", "en")
    page = (tmp_path / "pages/Zoe.html").read_text(encoding="utf-8")
    assert page.count("could not be read") == 1
