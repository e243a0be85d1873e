"""What students of a class hand in beside, around and instead of what they were asked for."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domains.errors import InputError
from domains.paths import LABS
from grader.classroom import intake
from grader.classroom.markbook import Markbook
from grader.classroom.policy import Policy
from grader.classroom.roster import Roster
from grader.classroom.source import gradescope
from grader.grading.judging import all_judged
from grader.lab import lab as labs
from grader.results.result import CheckResult, Outcome
from grader.submission import submission
from grader.submission.samples import samples
from grader.submission.translation import translate

LAB = labs.load(LABS / "first-vm")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def work(folder: Path, name: str = "Zoé Émilie") -> Path:
    return translate(LAB, samples(LAB)[0], name, folder)


def judged(folder: Path) -> dict[str, CheckResult]:
    given = submission.load(LAB, folder, "zoé", handed_in=True)
    return {one.id: one for one in all_judged(LAB, given, "en")}


def taken(tmp_path: Path) -> Roster:
    return intake.take_in(tmp_path / "class", LAB, tmp_path / "book", Policy())


def right(tmp_path: Path, roster: Roster) -> set[Outcome]:
    """Return the outcomes of what counts of the only student."""
    (student,) = roster.students
    attempt = student.attempts[intake.last(student.attempts)].model_copy(update={"chosen": True})
    chosen = roster.model_copy(update={"students": (student.model_copy(update={"attempts": (attempt,)}),)})
    given = Markbook(tmp_path / "book", LAB, chosen, Policy()).submission(student.key)
    return {one.outcome for one in all_judged(LAB, given, "en")}


@pytest.mark.parametrize("raw", [b"answers: [", b"lab: first-vm\nanswers:\n  1.1: a: b\n", b"\xff\xfe", None])
def test_a_slip_in_the_answers_takes_no_file_with_it(tmp_path: Path, raw: bytes | None) -> None:
    folder = work(tmp_path / "zoé")
    if raw is None:
        (folder / "answers.yaml").unlink()
    else:
        (folder / "answers.yaml").write_bytes(raw)
    found = judged(folder)
    assert found.pop("2.2").outcome is Outcome.PASS
    assert {one.outcome for one in found.values()} == {Outcome.FAIL}
    assert "answers.yaml" in found["1.1"].hint


def test_a_file_of_nobody_is_not_judged_by_the_variant_of_somebody(tmp_path: Path) -> None:
    folder = work(tmp_path / "zoé")
    (folder / "answers.yaml").write_bytes(b"answers: [")
    (folder / "workspace.yaml").unlink()
    assert judged(folder)["2.2"].outcome is Outcome.FAIL


def test_a_film_beside_the_answers_does_not_take_their_place(tmp_path: Path) -> None:
    folder = work(tmp_path / "class/Zoé Émilie")
    for name in ("A-film.mp4", "B-film.mp4"):
        (folder / name).write_bytes(bytes(20 * 2**20))
    roster = taken(tmp_path)
    assert roster.students[0].attempts[0].problem is None
    assert right(tmp_path, roster) == {Outcome.PASS}


def test_loose_answers_in_two_folders_are_two_attempts_and_both_are_named(tmp_path: Path) -> None:
    top = tmp_path / "class/Zoé Émilie"
    work(top / "td")
    work(top / "td-old")
    (student,) = taken(tmp_path).students
    assert sorted(one.place for one in student.attempts) == ["Zoé Émilie/td", "Zoé Émilie/td-old"]


def test_an_attempt_without_answers_does_not_take_the_place_of_one_with_them(tmp_path: Path) -> None:
    folder = work(tmp_path / "zoé")
    top = tmp_path / "class/Zoé Émilie"
    top.mkdir(parents=True)
    for number, left_out in ((1, ""), (2, "answers.yaml")):
        with zipfile.ZipFile(top / f"first-vm-zoe-{number}.zip", "w") as archive:
            for file in sorted(folder.rglob("*")):
                if file.is_file() and file.name != left_out:
                    archive.write(file, file.relative_to(folder))
    roster = taken(tmp_path)
    assert [one.problem for one in roster.students[0].attempts] == [
        None,
        "first-vm-zoe-2.zip: answers.yaml is missing",
    ]
    assert right(tmp_path, roster) == {Outcome.PASS}


def test_of_a_workspace_of_somebody_else_the_teacher_sees_the_answers(tmp_path: Path) -> None:
    folder = work(tmp_path / "zoé")
    answers = (folder / "answers.yaml").read_text(encoding="utf-8")
    kept = [
        line for line in answers.replace("Zoé Émilie", "Bob").splitlines() if not line.startswith("  2.1:")
    ]
    (folder / "answers.yaml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    found = judged(folder)
    assert {one.outcome for one in found.values()} == {Outcome.INCONCLUSIVE}
    assert found["2.1"].actual == ""
    assert found["1.2"].actual.startswith("L'invité s'arrête net")
    assert "<domain" in found["2.2"].actual


# ---------------------------------------------------------------- Gradescope's list of names

ZOE = "submission_1:\n  :submitters:\n  - :name: Zoé Émilie\n    :sid: '1'\n    :email: z@x.fr\n"
BOB = "submission_2:\n  :submitters:\n  - :name: Bob\n    :sid: '2'\n  :created_at: 2026-11-20 10:00:00 Z\n"


def names(*entries: str) -> dict[str, list[str]]:
    found = gradescope.read("".join(entries).encode("utf-8", "surrogatepass"))
    return {folder: [who.name for who in people] for folder, people in found.items()}


@pytest.mark.parametrize(
    "printed",
    [
        '  :output: "\\e[31mred\\a\\0"\n',
        "  :results: &1 {a: &2 b}\n  :again: *1\n  :third: *2\n",
        "  :x: !ruby/object:Time {}\n",
        "  :results: {a: 1, a: 2}\n",
        f"  :results: {'[' * 5000}{']' * 5000}\n",
        f"  :score: {'9' * 5000}\n",
        '  :output: "\\ud83d\\ude42"\n',
        "  :output: a\x07b\x00c\u202ed\n",
        '  :output: "&x *y !z"\n',
    ],
)
def test_what_a_students_program_printed_stops_nobody(printed: str) -> None:
    assert names(ZOE, printed, BOB) == {"submission_1": ["Zoé Émilie"], "submission_2": ["Bob"]}


def test_a_name_may_be_a_word_of_yaml_or_in_rubys_own_forms() -> None:
    assert names(ZOE.replace("Zoé Émilie", "No")) == {"submission_1": ["No"]}
    assert names(ZOE.replace("Zoé Émilie", "!binary |\n      Wm/DqQ==")) == {"submission_1": ["Zoé"]}
    assert names(ZOE.replace("Zoé Émilie", "&1 Zoé"), BOB.replace("Bob", "*1"))["submission_2"] == ["Zoé"]
    assert names(ZOE.replace("Zoé Émilie", "")) == {"submission_1": ["z@x.fr"]}
    assert names(ZOE.replace("Zoé Émilie", '"\\u202eeoZ"')) == {"submission_1": ["⟨U+202E⟩eoZ"]}


def test_a_time_in_rubys_own_form_is_read() -> None:
    time = "!ruby/object:ActiveSupport::TimeWithZone\n    utc: 2026-11-20 09:00:00.5 Z\n    zone: {name: x}\n"
    (who,) = gradescope.read(BOB.replace("2026-11-20 10:00:00 Z\n", time).encode())["submission_2"]
    assert who.time == datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.mark.parametrize("raw", ["", "- a\n", "just words\n", "a: [\n", "a: 'b\n", "*x"])
def test_a_list_of_names_that_is_none_is_refused_with_its_place(raw: str) -> None:
    with pytest.raises(InputError, match=r"submission_metadata\.yml:\d+:\d+"):
        gradescope.read(raw.encode())


def test_who_is_named_and_has_no_folder_is_told(tmp_path: Path) -> None:
    work(tmp_path / "class/submission_1")
    (tmp_path / "class/submission_metadata.yml").write_text(ZOE + BOB, encoding="utf-8")
    roster = taken(tmp_path)
    assert [one.name for one in roster.students] == ["Zoé Émilie"]
    assert roster.left_out == ("submission_2 of Bob is named, and not there",)
