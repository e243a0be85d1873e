"""The student's path: a workspace, what is told of the answers in it, and handing it in."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domains import process
from domains.errors import UsageError
from domains.paths import LABS
from grader.cli import tdlab
from grader.grading import grading
from grader.lab import lab as labs
from grader.lab import variants
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion
from grader.results.result import Outcome
from grader.submission import answers, history
from grader.submission.verification import stamping
from grader.workspace import hand_in, keys, workspace
from grader.workspace.workspace import Workspace

LAB = labs.load(LABS / "r202")
IDS = [question.id for question in LAB]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    # Older than the evidence of the samples.
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    return workspace.start(LAB, "Zoé L", "fr", tmp_path / "work", now=long_ago)[0]


def tdlab_does(*words: str | Path) -> Result:
    return CliRunner().invoke(tdlab, [*map(str, words)], standalone_mode=False)


def answer(place: Workspace, **given: object) -> None:
    """Write answers over the empty ones; keys have _ for - and a leading q."""
    lines = [f"lab: {place.lab.slug}", "lang: en", "answers:"]
    lines += [f"  {key[1:].replace('_', '-')}: {json.dumps(value)}" for key, value in given.items()]
    (place.folder / "answers.yaml").write_text("\n".join(lines) + "\n")


def moved(place: Workspace) -> ChoiceQuestion:
    """Return a choice whose right letter is not the author's."""
    return next(
        one
        for one in place.lab
        if isinstance(one, ChoiceQuestion) and one.right != getattr(LAB.question(one.id), "right", None)
    )


def outcomes(folder: Path) -> dict[str, Outcome]:
    (graded,) = grading.grade(LAB.folder, [folder]).submissions
    return {one.id: one.outcome for one in graded.questions}


def test_an_untouched_workspace_is_readable_and_answers_nothing(place: Workspace) -> None:
    raw = (place.folder / "answers.yaml").read_bytes()
    given = answers.parse(raw, LAB.slug, IDS)
    assert given.lang == "fr"
    assert not [one for one in given.values.values() if one.value not in (None, "")]
    assert all(f"# {name} (" in raw.decode() for name in IDS)


def test_an_untouched_workspace_scores_nothing(place: Workspace) -> None:
    (graded,) = grading.grade(LAB.folder, [place.folder]).submissions
    assert graded.score == 0
    assert {one.outcome for one in graded.questions} == {Outcome.FAIL}


def test_a_second_start_changes_nothing_that_was_written(place: Workspace) -> None:
    (place.folder / "answers.yaml").write_text("mine\n")
    again, is_new = workspace.start(LAB, "Zoé L", "en", place.folder)
    assert not is_new
    assert (place.folder / "answers.yaml").read_text() == "mine\n"
    assert again.identity == place.identity


def test_another_students_workspace_is_refused(place: Workspace) -> None:
    with pytest.raises(UsageError, match="of the student Zoé L, not of Bob"):
        workspace.start(LAB, "Bob", "fr", place.folder)


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match="is not empty"):
        workspace.start(LAB, "Bob", "fr", tmp_path)


def test_a_workspace_is_found_from_inside_it(place: Workspace) -> None:
    assert workspace.find(place.folder / "evidence").identity == place.identity
    with pytest.raises(UsageError, match="in no workspace"):
        workspace.find(place.folder.parent)


def test_a_right_letter_is_right_in_the_students_own_variant(place: Workspace) -> None:
    """The letter that the workspace shows for the right option is the one that scores."""
    choices = [one for one in place.lab if isinstance(one, ChoiceQuestion | ChoicesQuestion)]
    right = {f"q{one.id.replace('-', '_')}": one.right for one in choices}
    answer(place, **{key: list(value) if isinstance(value, tuple) else value for key, value in right.items()})
    (graded,) = grading.grade(LAB.folder, [place.folder]).submissions
    outcomes = {one.id: one.outcome for one in graded.questions}
    assert {outcomes[one.id] for one in choices} == {Outcome.PASS}
    moved = [one for one in choices if one.right != getattr(LAB.question(one.id), "right", None)]
    assert moved, "this student's letters are the author's: choose another name for the test"


def test_answers_handed_in_alone_are_read_by_the_students_own_letters(place: Workspace) -> None:
    """Many systems take one file: the letters must not be taken for the author's then."""
    first = moved(place)
    file = place.folder / "answers.yaml"
    file.write_text(file.read_text().replace(f"\n  {first.id}:", f"\n  {first.id}: {first.right}"))
    (place.folder / "workspace.yaml").unlink()
    assert outcomes(place.folder)[first.id] is Outcome.PASS


@pytest.mark.parametrize("how", ["link", "large", "other"])
def test_no_answer_is_wrong_where_nobody_can_say_which_variant_it_is_of(
    place: Workspace, tmp_path: Path, how: str
) -> None:
    file = place.folder / "workspace.yaml"
    if how == "link":
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    elif how == "large":
        file.write_text(file.read_text() + "#" * 5000)
    else:
        file.write_text(file.read_text().replace("Zoé L", "Bob"))
    assert set(outcomes(place.folder).values()) == {Outcome.INCONCLUSIVE}


def test_check_never_tells_whether_a_choice_is_right(place: Workspace) -> None:
    first = next(one for one in place.lab if isinstance(one, ChoiceQuestion))
    told = []
    for letter in first.options:
        answer(place, **{f"q{first.id.replace('-', '_')}": letter})
        shown = json.loads(tdlab_does("check", place.folder, first.id, "--json").output)["questions"]
        told.append({key: value for key, value in shown[0].items() if key != "seen"})
    assert told == [told[0]] * len(told)
    assert told[0]["state"] == "noted"


def test_check_says_what_cannot_be_read_and_what_to_write(place: Workspace) -> None:
    answer(place, **{"q3.2-ratio": "fast", "qvmcs-entry": "z"})
    shown = {
        one["id"]: one
        for one in json.loads(tdlab_does("check", place.folder, "--json", "--lang", "en").output)["questions"]
    }
    assert shown["3.2-ratio"]["state"] == "wrong"
    assert "write a number" in shown["3.2-ratio"]["next"]
    assert shown["vmcs-entry"]["next"] == "answer with one of: a, b, c, d"
    assert shown["2.2"]["state"] == "open"


def test_check_shows_no_number_that_would_be_the_answer(place: Workspace) -> None:
    (place.folder / "evidence" / "report.json").write_bytes(
        (LAB.folder / "solution" / "evidence" / "report.json").read_bytes()
    )
    stamping.stamp(place.folder, "r202", "Zoé L", place.identity.nonce)
    answer(place, **{"q3.2-ratio": 99})
    done = tdlab_does("check", place.folder, "3.2-ratio", "--json", "--lang", "en")
    (shown,) = json.loads(done.output)["questions"]
    assert shown["state"] == "wrong"
    assert "4.17" not in done.output
    assert done.return_value == 1


def test_an_unknown_question_names_the_nearest(place: Workspace) -> None:
    done = tdlab_does("check", place.folder, "3.2-ration")
    assert "did you mean '3.2-ratio'" in str(done.exception)


def test_what_is_handed_in_is_complete_signed_and_graded_alike(place: Workspace, tmp_path: Path) -> None:
    answer(place, **{"q1.1": "a"})
    (place.folder / "evidence" / "notes.txt").write_text("seen\n")
    receipt = hand_in.submit(place)
    with zipfile.ZipFile(receipt.archive) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(content["manifest.json"])
    assert set(manifest["files"]) == {"workspace.yaml", "answers.yaml", "evidence/notes.txt"}
    assert all(hashlib.sha256(content[name]).hexdigest() == sum_ for name, sum_ in manifest["files"].items())
    assert receipt.code == hand_in.receipt_code(content["manifest.json"])
    signers = tmp_path / "signers"
    signers.write_text(f"zoe {manifest['key']}\n")
    (tmp_path / "sig").write_bytes(content["manifest.json.sig"])
    verify = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        signers,
        "-I",
        "zoe",
        "-n",
        keys.NAMESPACE,
        "-s",
        tmp_path / "sig",
    ]
    process.run(verify, timeout=20, stdin=content["manifest.json"].decode())
    folder, handed_in = grading.grade(LAB.folder, [place.folder, receipt.archive]).submissions
    assert folder.questions == handed_in.questions


def test_a_link_is_not_left_out_in_silence(place: Workspace) -> None:
    (place.folder / "domains" / "web.xml").symlink_to("/etc/hostname")
    with pytest.raises(UsageError, match="not a regular file"):
        hand_in.submit(place)


def test_handing_in_again_is_another_attempt_that_names_the_one_before(place: Workspace) -> None:
    first, second = hand_in.submit(place), hand_in.submit(place)
    assert (first.number, second.number) == (1, 2)
    assert first.archive.exists()
    with zipfile.ZipFile(second.archive) as archive:
        assert json.loads(archive.read("manifest.json"))["previous"] == first.code


def test_a_history_with_a_torn_line_keeps_the_others(place: Workspace) -> None:
    hand_in.submit(place)
    with (place.folder / history.HISTORY_FILE).open("ab") as stream:
        stream.write(b'{"what":"subm')
    hand_in.submit(place)
    assert [one.about for one in history.events(place.folder, "submitted")] == [
        "r202-zoé-l-1.zip",
        "r202-zoé-l-2.zip",
    ]


def test_status_counts_what_is_there(place: Workspace) -> None:
    answer(place, **{"q1.1": "a"})
    hand_in.submit(place)
    told = json.loads(tdlab_does("status", place.folder, "--json").output)
    assert told["answered"] == ["1.1"]
    assert "3.2-predict" in told["uncommitted"]
    assert len(told["submitted"]) == 1


def test_the_answers_of_another_lab_cannot_be_read_as_these(place: Workspace) -> None:
    file = place.folder / "workspace.yaml"
    file.write_text(file.read_text().replace("lab: r202", "lab: first-vm"))
    (graded,) = grading.grade(LAB.folder, [place.folder]).submissions
    assert all("first-vm" in one.hint for one in graded.questions)


def test_the_letters_follow_from_the_name_and_nothing_else_in_the_file(place: Workspace) -> None:
    file = place.folder / "workspace.yaml"
    file.write_text(file.read_text() + "seed: 1\n")
    (graded,) = grading.grade(LAB.folder, [place.folder]).submissions
    assert all("seed" in one.hint and "rien à faire ici" in one.hint for one in graded.questions)
    assert variants.seed("r202", "a") != variants.seed("r202", "b")
