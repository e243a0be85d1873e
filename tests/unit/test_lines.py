"""Lines on a terminal: what is to be typed stands on one of them, whole."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from domains.paths import LABS
from grader.cli import tdlab
from grader.lab import lab as labs
from grader.lab.asking import how
from grader.language import LANGUAGES, Lang
from grader.language.lines import wrapped
from grader.sheet import source
from grader.sheet.terminal import print_sheet
from grader.workspace import answer_file, feedback, workspace
from grader.workspace.terminal import print_feedback

LAB = labs.load(LABS / "r202")
COMMANDS = re.compile(r"`[^`\n]*tdlab [^`\n]+`")


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100])
def test_words_are_wrapped_and_commands_are_whole(width: int) -> None:
    text = "Read, then type `tdlab measure r202 exit-meter`, which says « quelque chose » : nothing else."
    lines = wrapped(text, width, first="1.4  ", then="     ")
    assert " ".join(" ".join(lines).split()) == f"1.4 {text}"
    assert any("`tdlab measure r202 exit-meter`," in line for line in lines)
    assert not any(re.match(r"\s*[:»]", line) or line.endswith("«") for line in lines)
    assert all(len(line) <= width for line in lines if "`" not in line)


def test_lines_after_the_first_hang_and_a_command_moves_left_only_where_it_must() -> None:
    lines = wrapped("one two `abc def ghi` three", 20, first="id        ", then=" " * 10)
    assert lines == ["id        one two", "  `abc def ghi`", "          three"]
    assert wrapped("a `abc def ghi jkl` b", 10, first="  ", then="  ") == ["  a", "`abc def ghi jkl`", "  b"]


def test_a_lone_backtick_and_nothing_at_all_are_words_like_others() -> None:
    assert wrapped("a ` b", 80) == ["a ` b"]
    assert wrapped("", 80, first="id") == ["id"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [60, 80])
def test_check_breaks_no_command(tmp_path: Path, lang: Lang, width: int) -> None:
    place, _ = workspace.start(LAB, "Zoé", lang, tmp_path / "work")
    console = Console(width=width, file=io.StringIO(), highlight=False)
    print_feedback(feedback.look(place.submission(), "r202", lang), lang, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for question in place.lab:
        for command in COMMANDS.findall(how(question, lang)):
            assert command in shown
        if question.hints:
            assert f"`tdlab hint {question.id}`" in shown
    assert all(len(line) <= width for line in shown.splitlines() if "`" not in line)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_answers_yaml_breaks_no_command(lang: Lang) -> None:
    text = answer_file.text(LAB, "Zoé", lang)
    for question in LAB:
        for command in re.findall(r"`[^`\n]+`", how(question, lang)):
            assert command in text
    assert max(map(len, text.splitlines())) <= 96


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("name", ["r202", "first-vm"])
def test_the_sheet_breaks_no_command_that_fits(name: str, lang: Lang, width: int) -> None:
    lab = labs.load(LABS / name)
    pieces = source.read(lab, lang)
    console = Console(width=width, file=io.StringIO(), highlight=False)
    print_sheet(pieces, lab, lang, own=True, console=console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    prose = "".join(one.markdown for one in pieces if isinstance(one, source.Prose))
    asked = "".join(how(question, lang) for question in lab)
    commands = [one.strip("`") for one in COMMANDS.findall(prose) + COMMANDS.findall(asked)]
    assert commands
    assert [one for one in commands if one not in shown] == []


def test_hints_of_a_grade_break_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    words = ["grade", "r202", str(LAB.folder / "wrong-unmeasured-memory"), "--lang", "fr"]
    shown = CliRunner().invoke(tdlab, words, standalone_mode=False).stdout
    assert "`tdlab measure r202 shadow-paging`" in shown
    assert all(line.count("`") % 2 == 0 for line in shown.splitlines())
