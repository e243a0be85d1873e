"""The sheet: its questions come from lab.yaml, with the reader's own letters, in a terminal and on a page."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml import html
from rich.console import Console

from domains.errors import InputError, UsageError
from domains.paths import LABS
from grader import look
from grader.cli import tdlab
from grader.lab import lab as labs
from grader.lab import variants
from grader.lab.lab import Lab
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion
from grader.language import LANGUAGES, Lang
from grader.sheet import source
from grader.sheet.page import html_text
from grader.sheet.terminal import print_sheet
from grader.workspace import workspace

R202 = labs.load(LABS / "r202")
SMALL = """schema: tdlab.lab/1
title: {fr: "Petit", en: "Small"}
parts:
  - id: one
    title: {fr: "Un", en: "One"}
    questions:
      - {id: "1.1", kind: choice, points: 1.5, ask: {fr: "Où ?", en: "Where is `ps` <b>?"},
         options: {a: {fr: "là", en: "there"}, b: {fr: "ici", en: "here"}}, right: a,
         hint: {fr: "x", en: "x"}}
      - {id: "1.2", kind: number, points: 2, unit: Mbit/s, expect: {value: 1}, tolerance: 1,
         ask: {fr: "Combien ?", en: "How many?"}, hint: {fr: "x", en: "x"}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Lab:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "lab.yaml").write_text(SMALL)
    return labs.load(tmp_path / "small")


def refused(text: str, lab: Lab) -> InputError:
    with pytest.raises(InputError) as caught:
        source.parse(text, lab, Path("sheet.en.md"))
    return caught.value


def printed(lab: Lab, lang: Lang, width: int, *, own: bool = True) -> str:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    print_sheet(source.read(lab, lang), lab, lang, own=own, console=console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def tdlab_does(*words: str) -> Result:
    return CliRunner().invoke(tdlab, [*words], standalone_mode=False)


def test_an_unknown_question_is_refused_at_its_line_with_the_nearest_name(small: Lab) -> None:
    bad = refused("# A\n\n  {question 1.11}\n{question 1.2}\n", small)
    assert str(bad.where) == "sheet.en.md:3:3"
    assert "did you mean '1.1'" in str(bad)


def test_a_forgotten_question_is_refused_where_the_one_before_it_stands(small: Lab) -> None:
    bad = refused("# A\n\n{question 1.1}\n", small)
    assert (bad.where.line, bad.problem) == (3, "the sheet forgets question 1.2")


def test_a_question_asked_twice_and_one_within_a_sentence_are_refused(small: Lab) -> None:
    assert refused("{question 1.1}\n{question 1.1}\n{question 1.2}\n", small).where.line == 2
    assert "line of its own" in str(refused("{question 1.1} and more\n{question 1.2}\n", small))


def test_what_stands_in_a_code_block_is_no_question(small: Lab) -> None:
    text = "```\n{question 9}\n```\n{question 1.1}\n~~~~\n{question 8}\n~~~\n~~~~\n{question 1.2}\n"
    pieces = source.parse(text, small, Path("sheet.en.md"))
    assert [type(one).__name__ for one in pieces] == ["Prose", "Asked", "Prose", "Asked"]


def test_a_lab_without_a_sheet_in_the_language_says_which_file_to_write(small: Lab) -> None:
    with pytest.raises(UsageError, match=r"no sheet sheet\.fr\.md"):
        source.read(small, "fr")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [80, 40])
def test_the_terminal_shows_every_question_within_its_width(lang: Lang, width: int) -> None:
    said = printed(R202, lang, width)
    assert max(len(line) for line in said.splitlines()) <= width
    for question in R202:
        assert re.search(rf"^{re.escape(question.id)}  \d", said, re.MULTILINE), question.id


def test_the_letters_are_those_of_the_student_named(small: Lab) -> None:
    (small.folder / "sheet.en.md").write_text("# S\n{question 1.1}\n{question 1.2}\n")
    names = [f"student {number}" for number in range(20)]
    orders = set()
    for name in names:
        mine = variants.drawn(small, name)
        said = printed(mine, "en", 60)
        orders.add(tuple(re.findall(r"^  ([ab]) (\w+)", said, re.MULTILINE)))
        question = mine.question("1.1")
        assert isinstance(question, ChoiceQuestion)
        assert f"{question.right} there" in said
    assert len(orders) == 2


def test_a_workspace_shows_its_own_letters_and_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _ = workspace.start(R202, "Zoé L", "fr", tmp_path / "work")
    monkeypatch.chdir(place.folder)
    said = " ".join(tdlab_does("sheet", "--width", "100").output.split())
    assert "lettres des choix sont celles de l’auteur" not in said
    for question in place.lab:
        if isinstance(question, ChoiceQuestion | ChoicesQuestion):
            below = said[said.index(f" {question.id} ") :]
            for letter, text in question.options.items():
                assert f" {letter} {text.say('fr').replace('`', '')}" in below


def test_outside_a_workspace_the_author_s_letters_are_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "letters of the options are the author's" in " ".join(tdlab_does("sheet", "r202").output.split())
    assert isinstance(tdlab_does("sheet").exception, UsageError)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_one_file_without_scripts_or_anything_fetched(lang: Lang) -> None:
    page = html_text(source.read(R202, lang), R202, lang)
    tree = html.document_fromstring(page.encode())
    assert tree.get("lang") == lang
    assert not tree.xpath("//script | //img | //link | //iframe | //@style | //@onclick")
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = tree.xpath("//style/text()")
    assert f"style-src 'sha256-{look.style_hash(style)}'" in policy
    assert policy.startswith("default-src 'none'")
    assert [one.get("id") for one in tree.xpath("//section[@class='question']")] == [
        f"q-{one.question.id}" for one in source.read(R202, lang) if isinstance(one, source.Asked)
    ]


def test_every_entry_of_the_table_of_contents_leads_somewhere(small: Lab) -> None:
    text = "# S\n\n## Same\n\n{question 1.1}\n\n## Same\n\n### Below\n\n{question 1.2}\n"
    tree = html.document_fromstring(html_text(source.parse(text, small, Path("s.md")), small, "en"))
    targets = [one.removeprefix("#") for one in tree.xpath("//nav//a/@href")]
    assert len(targets) == 5
    assert all(len(tree.xpath(f"//*[@id='{one}']")) == 1 for one in targets)


def test_html_in_a_sheet_or_a_question_is_text_and_links_are_harmless(small: Lab) -> None:
    text = (
        "<script>x</script> [a](javascript:alert(1)) [b](https://x.org)\n\n{question 1.1}\n{question 1.2}\n"
    )
    tree = html.document_fromstring(html_text(source.parse(text, small, Path("s.md")), small, "en"))
    assert not tree.xpath("//script")
    assert tree.xpath("//main//p/a/@href") == ["https://x.org"]
    assert tree.xpath("//p[@class='ask']/code/text()") == ["ps"]
    assert "<b>?" in "".join(tree.xpath("//p[@class='ask']//text()"))


def test_the_page_names_whose_letters_it_shows(small: Lab, tmp_path: Path) -> None:
    (small.folder / "sheet.en.md").write_text("# S\n{question 1.1}\n{question 1.2}\n")
    done = tdlab_does("sheet", str(small.folder), "--student", "<i>Zoé", "--html", str(tmp_path / "p.html"))
    assert done.exit_code == 0
    page = (tmp_path / "p.html").read_text()
    assert "letters of &lt;i&gt;Zoé" in page
    assert "1.5 points" in page
    assert tdlab_does("sheet", str(small.folder), "--html", "-").output.startswith("<!doctype html>")
