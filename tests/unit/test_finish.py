"""Finishing, opening again, and putting files back: nothing that a student wrote is ever lost."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domains.errors import UsageError
from domains.paths import LABS
from grader.cli import tdlab
from grader.lab import lab as labs
from grader.submission import answers, history, submission
from grader.submission.samples import samples
from grader.submission.translation import translate
from grader.workspace import closing, hand_in, restoring, workspace
from grader.workspace.workspace import Workspace

LAB = labs.load(LABS / "r202")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return workspace.start(LAB, "Zoé L", "fr", tmp_path / "r202-workspace")[0]


def tdlab_does(*words: str | Path) -> Result:
    return CliRunner().invoke(tdlab, [*map(str, words)], standalone_mode=False)


def said(done: Result) -> str:
    return done.output.replace("\u00a0", " ")


def test_finish_says_what_is_open_and_asks_before_it_hands_in(place: Workspace) -> None:
    done = tdlab_does("finish", place.folder)
    assert "pas encore de réponse : 1.1, 1.1-ps" in said(done)
    assert "non prédit : 3.2-predict" in said(done)
    assert "3.2-ratio" in said(done).split("non mesuré : ")[1]
    assert done.return_value == 1
    assert not (place.folder / "submissions").exists()
    assert not workspace.is_closed(place)


def test_a_finished_workspace_is_handed_in_and_stays_as_it_is(place: Workspace) -> None:
    done = tdlab_does("finish", place.folder, "--yes")
    assert "reçu : " in said(done)
    (archive,) = (place.folder / "submissions").iterdir()
    with zipfile.ZipFile(archive) as content:
        assert b'"finished"' in content.read("evidence/history.jsonl")
    for words in (
        ["submit", place.folder],
        ["predict", "--workspace", place.folder, "3.2-predict", "2"],
        ["hint", "--workspace", place.folder, "3.1", "--yes"],
        ["reset", place.folder, "--domains"],
    ):
        assert "--reopen" in str(tdlab_does(*words).exception), words
    assert tdlab_does("check", place.folder).exception is None
    assert [one.what for one in history.events(place.folder)] == ["finished", "submitted"]


def test_what_cannot_be_handed_in_is_not_finished(place: Workspace) -> None:
    (place.folder / "domains").mkdir(exist_ok=True)
    (place.folder / "domains/web.xml").symlink_to("/etc/hostname")
    done = tdlab_does("finish", place.folder, "--yes")
    assert "not a regular file" in str(done.exception)
    assert not workspace.is_closed(workspace.find(place.folder))


def test_a_question_alone_is_checked_in_this_folder(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    assert said(tdlab_does("check", "1.1", "1.4")).startswith("1.1 ")
    assert "1.2" not in said(tdlab_does("check", "1.1", "1.4"))
    # A folder that is not there is no question.
    assert "../nowhere does not exist" in str(tdlab_does("check", "../nowhere").exception)


def test_a_finished_workspace_can_be_opened_again(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    tdlab_does("finish", place.folder, "--yes")
    monkeypatch.chdir(place.folder)
    assert "--reopen" in said(tdlab_does("start", "r202"))
    assert "rouvert" in said(tdlab_does("start", "r202", "--reopen"))
    assert tdlab_does("submit").exception is None
    assert not (place.folder / "r202-workspace").exists()


@pytest.mark.parametrize("command", ["submit", "finish"])
def test_answers_that_nobody_can_read_are_not_handed_in_unsaid(place: Workspace, command: str) -> None:
    file = place.folder / "answers.yaml"
    file.write_text(file.read_text().replace("\n  vmcs-entry:", "\nvmcs-entry: c"))
    done = tdlab_does(command, place.folder)
    assert "personne ne peut lire vos réponses" in said(done)
    assert "answers.yaml:" in said(done)


def test_what_is_complete_has_no_loose_ends(tmp_path: Path) -> None:
    done = workspace.find(translate(LAB, samples(LAB)[0], "carol", tmp_path / "carol"))
    assert not closing.loose_ends(done)


def test_one_answer_is_put_back_and_the_others_stay(place: Workspace) -> None:
    file = place.folder / "answers.yaml"
    empty = file.read_text()
    mine = empty.replace("  1.1: >\n", "  1.1: >\n    Une seule phrase,\n    sur deux lignes.\n")
    mine = mine.replace("\n  vmcs-entry:", "\n  vmcs-entry: c")
    file.write_text(mine)
    done = tdlab_does("reset", place.folder, "--question", "1.1")
    assert "le vôtre est dans" in said(done)
    assert file.read_text() == empty.replace("\n  vmcs-entry:", "\n  vmcs-entry: c")
    (kept,) = (place.folder / "backup").rglob("answers.yaml")
    assert kept.read_text() == mine
    assert "tel que" in said(tdlab_does("reset", place.folder, "--question", "1.1"))


def test_an_answer_whose_place_was_deleted_gets_it_back(place: Workspace) -> None:
    file = place.folder / "answers.yaml"
    file.write_text("lab: r202\nanswers:\n  1.1: x")
    tdlab_does("reset", place.folder, "--question", "vmcs-entry")
    given = answers.parse(file.read_bytes(), "r202", [one.id for one in LAB])
    assert (given.to("1.1").value, given.to("vmcs-entry").value) == ("x", None)
    assert "vmcs-entry:" in file.read_text()


def test_domains_are_moved_to_the_backup(place: Workspace) -> None:
    (place.folder / "domains" / "web.xml").write_text("<domain/>")
    (place.folder / "domains" / "try.xml").write_text("<other/>")
    done = tdlab_does("reset", place.folder, "--domains")
    assert done.exception is None
    assert not list((place.folder / "domains").iterdir())
    assert {one.name: one.read_text() for one in (place.folder / "backup").rglob("*.xml")} == {
        "web.xml": "<domain/>",
        "try.xml": "<other/>",
    }
    assert {one.about for one in history.events(place.folder, "reset")} == {
        "domains/web.xml",
        "domains/try.xml",
    }


def test_a_host_that_is_none_of_ours_is_not_put_back(place: Workspace) -> None:
    done = tdlab_does("reset", place.folder, "--host", "nowhere", "--yes")
    assert isinstance(done.exception, UsageError)
    assert "nowhere" in str(done.exception)


def test_a_workspace_of_somebody_is_started_again_without_the_name(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder.parent)
    assert "existe déjà" in said(tdlab_does("start", "r202"))


def test_every_file_that_a_question_asks_for_is_handed_in_and_can_be_put_back(tmp_path: Path) -> None:
    (tmp_path / "trial").mkdir()
    asked = "      - {id: '%s', kind: code, points: 1, file: %s, ask: {fr: Q, en: Q}, hint: {fr: L, en: R}}\n"
    (tmp_path / "trial" / "lab.yaml").write_text(
        "schema: tdlab.lab/1\ntitle: {fr: Essai, en: Trial}\nparts:\n  - id: one\n"
        "    title: {fr: Un, en: One}\n    questions:\n"
        + "".join(asked % one for one in (("1", "scripts/a.sh"), ("2", "scripts/a.sh"), ("3", "evidence/b")))
    )
    trial = labs.load(tmp_path / "trial")
    place = workspace.start(trial, "Zoé L", "fr", tmp_path / "work")[0]
    for name in ("scripts/a.sh", "evidence/b"):
        (place.folder / name).write_text("mine")
    done = hand_in.submit(place)
    with zipfile.ZipFile(done.archive) as content:
        assert {"scripts/a.sh", "evidence/b"} <= set(content.namelist())
    read = submission.load(trial, done.archive, "Zoé L")
    assert [read.answer(one).value for one in trial] == [b"mine"] * 3
    (kept,) = restoring.question(place, next(iter(trial)))
    assert kept.read_text() == "mine"
    assert not (place.folder / "scripts" / "a.sh").exists()


def test_an_archive_that_was_handed_in_is_never_written_over(place: Workspace) -> None:
    first = hand_in.submit(place)
    before = first.archive.read_bytes()
    (place.folder / "evidence" / "history.jsonl").unlink()
    second = hand_in.submit(place)
    assert second.number == 2
    assert first.archive.read_bytes() == before
