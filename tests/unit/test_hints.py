"""Hints say their price first, are remembered, and cost what they said when the work is graded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domains.paths import LABS
from grader.cli import tdlab
from grader.grading.grading import grade
from grader.lab import asking
from grader.lab import lab as labs
from grader.results.result import Outcome
from grader.submission import history
from grader.submission.samples import samples
from grader.submission.translation import translate
from grader.workspace import terminal, workspace
from grader.workspace.workspace import Workspace

LAB = labs.load(LABS / "r202")
_ASKED = LAB.question("3.1")
assert _ASKED is not None
POINTS, WORTH = _ASKED.points, asking.worth(_ASKED, "fr")


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """The solution, in a workspace of its own."""
    return workspace.find(translate(LAB, samples(LAB)[0], "carol", tmp_path / "carol"))


def hint(place: Workspace, question: str, *words: str) -> Result:
    asked = ["hint", question, "--workspace", str(place.folder), *words]
    return CliRunner().invoke(tdlab, asked, standalone_mode=False)


def graded(place: Workspace) -> dict[str, tuple[Outcome, float, float, str]]:
    (found,) = grade(LAB.folder, [place.folder], lang="en").submissions
    return {one.id: (one.outcome, one.points, one.cost, one.hint) for one in found.questions}


def test_the_price_comes_first_and_nothing_is_taken_unasked(place: Workspace) -> None:
    said = hint(place, "3.1", "--no-input")
    assert f"coûte 0,25 pt\u00a0; 3.1 vaut {WORTH}. Il en reste un autre après lui." in said.output
    assert "La carte n’existe pas" not in said.output
    assert said.return_value == 1
    assert not history.events(place.folder, "hint")


def test_a_hint_taken_is_given_again_for_nothing_and_the_next_has_its_own_price(place: Workspace) -> None:
    assert "La carte n’existe pas" in hint(place, "3.1", "--yes").output
    again = hint(place, "3.1", "--no-input")
    assert "déjà donné : La carte n’existe pas" in again.output.replace("\u00a0", " ")
    assert f"coûte 0,5 pt\u00a0; 3.1 vaut {WORTH}. C’est le dernier." in again.output
    hint(place, "3.1", "--yes")
    assert "n’a plus d’indice" in hint(place, "3.1", "--yes").output
    assert len(history.events(place.folder, "hint")) == 2


def test_grading_takes_the_price_and_says_so(place: Workspace) -> None:
    before = graded(place)["3.1"]
    assert before[:3] == (Outcome.PASS, POINTS, 0.0)
    hint(place, "3.1", "--yes")
    outcome, points, cost, said = graded(place)["3.1"]
    assert (outcome, points, cost) == (Outcome.PARTIAL, POINTS - 0.25, 0.25)
    assert "1 hint asked for: −0.25 pt" in said


def test_hints_never_cost_more_than_the_question_gives(place: Workspace) -> None:
    for _ in range(2):
        hint(place, "3.1", "--yes")
    answers = place.folder / "answers.yaml"
    kept = [one for one in answers.read_text().splitlines() if not one.startswith("  3.1:")]
    answers.write_text("\n".join(kept) + "\n")
    outcome, points, cost, _ = graded(place)["3.1"]
    assert (outcome, points, cost) == (Outcome.FAIL, 0.0, 0.75)


def test_a_hint_struck_from_the_history_leaves_the_measures_unverified(place: Workspace) -> None:
    hint(place, "3.1", "--yes")
    hint(place, "3.1", "--yes")
    file = place.folder / history.HISTORY_FILE
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-2] + lines[-1:]))
    found = graded(place)
    assert found["3.1"][2] == 0.5, "what can still be read still costs"
    assert found["3.2-ratio"][0] is Outcome.INCONCLUSIVE


def test_check_shows_the_prices_and_is_not_confused_by_them(place: Workspace) -> None:
    hint(place, "3.2-ratio", "--yes")
    done = CliRunner().invoke(tdlab, ["check", str(place.folder), "--json"], standalone_mode=False)
    shown = {one["id"]: one for one in json.loads(done.output)["questions"]}
    assert shown["3.2-ratio"]["state"] == "right"
    assert shown["3.2-ratio"]["hints"] == []
    assert shown["3.1"]["hints"] == [0.25, 0.5]
    assert shown["vmcs-entry"]["asked"] == "Une lettre."


def test_status_sums_them_up(place: Workspace) -> None:
    hint(place, "3.1", "--yes")
    done = CliRunner().invoke(tdlab, ["status", str(place.folder)], standalone_mode=False)
    assert "3.1 (−0,25 pt)" in done.output


def test_an_unknown_question_names_the_nearest(place: Workspace) -> None:
    assert "did you mean '3.2-ratio'" in str(hint(place, "3.2-ration").exception)
    assert "n’a pas d’indice" in hint(place, "1.1").output


@pytest.mark.parametrize(
    ("typed", "default", "expected"),
    [
        ("o", False, True),
        ("oui", False, True),
        ("y", False, True),
        ("", True, True),
        ("", False, False),
        ("n", True, False),
    ],
)
def test_yes_can_be_said_in_french(
    monkeypatch: pytest.MonkeyPatch, typed: str, default: bool, expected: bool
) -> None:
    from grader.workspace import sayings

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(terminal, "input_line", lambda _prompt: typed)
    asked = terminal.agreed("fr", sayings.HINT_NOW, yes=False, no_input=False, default=default)
    assert asked is expected
