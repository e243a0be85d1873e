"""What a command says when it refuses: in the language of whoever typed it, with the next step."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from domains import process
from grader.language import refusals

ROOT = Path(__file__).parents[2]


def tdlab(folder: Path, locale: str, *words: str) -> process.Completed:
    return process.run(
        [sys.executable, "-m", "grader", *words],
        timeout=120,
        check=False,
        cwd=folder,
        env={"LC_ALL": locale, "HOME": str(folder), "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize(
    ("locale", "said"),
    [("fr_FR.UTF-8", "Erreur\u00a0: il manque\u00a0: LAB"), ("C", "Missing argument 'LAB'.")],
)
def test_outside_a_workspace_the_environment_says_the_language(
    tmp_path: Path, locale: str, said: str
) -> None:
    done = tdlab(tmp_path, locale, "start")
    assert done.status == 2
    assert said in done.stderr
    assert "tdlab start" in done.stderr


@pytest.mark.parametrize(
    ("locale", "words", "lang"),
    [
        ("fr_CA.UTF-8", [], "fr"),
        ("en_GB.UTF-8", [], "en"),
        ("en_GB.UTF-8", ["--lang", "fr"], "fr"),
        ("C.UTF-8", [], "fr"),
        ("de_DE.UTF-8", [], "fr"),
    ],
)
def test_a_workspace_is_in_the_language_asked_for_or_of_the_environment_or_of_the_lab(
    tmp_path: Path, locale: str, words: list[str], lang: str
) -> None:
    assert tdlab(tmp_path, locale, "start", "first-vm", "--student", "Zoé", *words).status == 0
    written = (tmp_path / "first-vm-workspace/workspace.yaml").read_text("utf-8")
    assert f"\nlang: {lang}\n" in written


def test_inside_a_workspace_its_own_language_is_spoken(tmp_path: Path) -> None:
    assert tdlab(tmp_path, "C", "start", "first-vm", "--student", "Zoé").status == 0
    done = tdlab(tmp_path / "first-vm-workspace", "C", "predict", "3.1", "abc")
    assert done.stderr.splitlines() == [
        "tdlab: 'abc' n’est pas une prédiction pour 3.1",
        "  donnez un nombre",
    ]


def test_answers_that_cannot_be_read_are_one_thing_to_put_right(tmp_path: Path) -> None:
    tdlab(tmp_path, "C", "start", "first-vm", "--lang", "en", "--student", "Zoe")
    place = tmp_path / "first-vm-workspace"
    answers = place / "answers.yaml"
    answers.write_text(answers.read_text().replace("  1.1:", "  1.1: a: b"))
    done = tdlab(place, "C", "check")
    assert done.status == 1
    assert done.stdout.count("answers.yaml:") == 1
    assert "four spaces before each line" in " ".join(done.stdout.split())


def test_status_counts_no_answers_that_nobody_can_read(tmp_path: Path) -> None:
    tdlab(tmp_path, "C", "start", "first-vm", "--student", "Zoe")
    place = tmp_path / "first-vm-workspace"
    (place / "answers.yaml").write_text("lab: first-vm\nanswers:\n  1.1: [a\n")
    done = tdlab(place, "C", "status")
    assert done.stdout.startswith(
        "personne ne peut lire vos réponses\u00a0: answers.yaml:4:1: ici ou juste avant"
    )
    assert json.loads(tdlab(place, "C", "status", "--json").stdout)["answered"] == []


@pytest.mark.parametrize(
    ("message", "french"),
    [
        (
            "Invalid value for '--repeats': 99 is not in the range 1<=x<=50.",
            "--repeats ne peut pas valoir 99",
        ),
        ("Invalid value for '--repeats': 'abc' is not a valid integer range.", "attend un nombre entier"),
        (
            "answers.yaml:1:1: not UTF-8\n  save it as UTF-8",
            "answers.yaml:1:1: ce n’est pas de l’UTF-8\n  enreg",
        ),
        ("answers.yaml:2:1: not valid YAML: odd", "answers.yaml:2:1: YAML incorrect\u00a0: odd"),
    ],
)
def test_slips_of_the_hand_are_said_in_french(message: str, french: str) -> None:
    assert french in refusals.said(message, "fr")


def test_places_stay_and_what_nobody_translated_stays() -> None:
    assert refusals.said("answers.yaml:3:1: unknown key 'x'", "fr") == (
        "answers.yaml:3:1: 'x' n’a rien à faire ici"
    )
    assert refusals.said("the moon is down", "fr") == "the moon is down"
    assert refusals.said("'x' is missing", "en") == "'x' is missing"
