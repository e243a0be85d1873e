"""``tdlab grade --into``: what a teacher reads, and what other programs do."""

from __future__ import annotations

import json
import shutil
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domains.errors import UsageError
from domains.paths import LABS
from grader.classroom import told
from grader.classroom.policy import Policy, parse_late
from grader.cli import tdlab

R202 = LABS / "r202"


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """Return a class in which one is good, one wrong, one broken, one too long for a column."""
    place = tmp_path / "class"
    for name, sample in (("ada", "solution"), ("bob", "wrong-emulated-nic"), ("Zoé " * 12, "solution")):
        shutil.copytree(R202 / sample, place / name.strip())
    (place / "eve.zip").write_bytes(b"PK no zip")
    (place / "README.txt").write_text("the class of 2026")
    return place


def tdlab_does(*words: str | Path) -> Result:
    return CliRunner().invoke(tdlab, [*map(str, words)], standalone_mode=False)


def columns(line: str) -> int:
    return sum(not unicodedata.combining(letter) for letter in line)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_class_is_told_a_line_a_student_and_what_needs_the_teacher(
    school: Path, tmp_path: Path, lang: str
) -> None:
    done = tdlab_does("grade", "r202", school, "--into", tmp_path / "book", "--lang", lang)
    lines = done.stdout.splitlines()
    assert done.return_value == 1
    assert [one for one in lines if columns(one) > 80 and "tdlab " not in one] == []
    assert lines[1].startswith("ada ")
    assert "20" in lines[1]
    assert lines[2].startswith("bob ")
    assert {"en": "unreadable", "fr": "illisible"}[lang] in lines[3]
    said = " ".join(done.stdout.split())
    assert {"en": "4 students; mean", "fr": "4 étudiants ; moyenne"}[lang] in said
    damaged = {"en": "eve.zip: damaged", "fr": "eve.zip\u00a0: endommagée"}[lang]
    assert " ".join(damaged.split()) in said
    assert "README.txt is no submission" in said
    assert f"tdlab export {tmp_path / 'book'}" in done.stdout


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "3 students are not"), ("fr", "3 étudiants ne sont pas cités")]
)
def test_a_large_class_is_summed_up_and_only_what_is_pressing_listed(
    school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, said: str
) -> None:
    monkeypatch.setattr(told, "_ALL_LINES", 3)
    done = tdlab_does("grade", "r202", school, "--into", tmp_path / "book", "--lang", lang)
    head, listed, *rest = done.stdout.splitlines()
    assert listed.startswith("eve ")
    assert rest[0] == ""
    assert rest[1].startswith(said)
    assert all(len(one) <= 80 for one in (head, listed, *rest) if "tdlab " not in one)


def test_json_is_the_grade_that_is_kept(school: Path, tmp_path: Path) -> None:
    done = tdlab_does("grade", "r202", school, "--into", tmp_path / "book", "--json")
    assert done.stdout == (tmp_path / "book" / "grade.json").read_text()
    data = json.loads(done.stdout)
    assert data["schema"] == "tdlab.grade/1"
    assert [one["student"] for one in data["submissions"]][:3] == ["ada", "bob", "eve"]


def test_what_makes_no_class_is_said_at_once(school: Path, tmp_path: Path) -> None:
    for words, said in (
        ([school, school], "one class"),
        ([tmp_path / "none"], "does not exist"),
        ([school / "README.txt"], "no ZIP of a class"),
        ([school, "--late", "10 %"], "add --deadline"),
        ([school, "--late", "soon", "--deadline", "2026-11-30"], "is no part of a policy"),
        ([school, "--deadline", "tomorrow"], "is no date"),
    ):
        with pytest.raises(UsageError) as refused:
            CliRunner().invoke(
                tdlab,
                ["grade", "r202", *map(str, words), "--into", str(tmp_path / "book")],
                standalone_mode=False,
                catch_exceptions=False,
            )
        assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "late", "percent"),
    [
        ("10 % per day", 1, 10),
        ("10 % per day", 86401, 20),
        ("10 % per day, at most 50 %", 10 * 86400, 50),
        ("10% per hour; at most 35%; grace 15 min", 900, 0),
        ("10% per hour; at most 35%; grace 15 min", 901, 10),
        ("20 %", 30 * 86400, 20),
        ("2,5 % per hour", 7200, 5),
        ("60 % per week", 15 * 86400, 100),
        ("10 % per day", 0, 0),
    ],
)
def test_a_policy_for_lateness_takes_what_it_says(text: str, late: float, percent: float) -> None:
    assert parse_late(text).percent_of(late) == percent
    assert Policy(late=parse_late(text)).late == parse_late(text)
