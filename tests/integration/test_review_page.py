"""The review in a real browser: by keyboard, without scripts, readable by everybody, inert to hostility."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from grader.classroom.markbook import open_markbook
from grader.review import decisions
from grader.review.decisions import Decision

pytestmark = pytest.mark.integration
# What has the focus, and how many pixels of outline say so.
FOCUS = """() => {
  const here = document.activeElement;
  const name = here.tagName + (here.id || here.value || here.textContent);
  return [name, parseFloat(getComputedStyle(here).outlineWidth)];
}"""
# Milliseconds; machines that run guests are busy.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
LOOKS = [
    pytest.param(lang, scheme, width, id=f"{lang}-{scheme}-{width}")
    for lang in ("en", "fr")
    for scheme in ("light", "dark")
    for width in (1280, 360)
]


@dataclass(frozen=True)
class Served:
    """A review that runs as a teacher runs it."""

    url: str
    folder: Path
    process: subprocess.Popen[str]

    def saved(self) -> list[Decision]:
        return decisions.read(self.folder / "decisions.jsonl")

    def fractions(self) -> list[float | None]:
        return [one.fraction for one in self.saved()]


@contextmanager
def served(place: Path, *words: str) -> Iterator[Served]:
    argv = [sys.executable, "-m", "grader", "review", str(place / "markbook"), *words]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            url = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+", line)))
            yield Served(url, place / "markbook", process)
        finally:
            process.kill()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def enter(page: Page, review: Served) -> None:
    page.goto(review.url)
    page.wait_for_url(re.compile(r":\d+/$"))


def press(page: Page, *keys: str) -> None:
    """Press keys that each lead to another page."""
    for key in keys:
        with page.expect_navigation():
            page.keyboard.press(key)


def test_a_teacher_decides_by_keyboard_alone(page: Page, small_class: Path) -> None:
    with served(small_class) as review:
        enter(page, review)
        press(page, "n")
        expect(page.get_by_role("heading", level=1)).to_have_text("What does an emulated NIC cost?")
        expect(page.get_by_role("checkbox", name="each access causes an exit")).to_be_checked()
        page.keyboard.press("2")
        expect(page.get_by_role("checkbox", name="software imitates the card")).to_be_checked()
        page.keyboard.press("2")
        page.keyboard.press("c")
        page.keyboard.type("Who answers? 0 f g j")
        press(page, "Control+Enter")
        expect(page.get_by_role("status")).to_have_text("Saved: 1 of 2 points.")
        assert [(one.fraction, one.comment) for one in review.saved()] == [(0.5, "Who answers? 0 f g j")]
        press(page, "f", "0")
        assert review.fractions() == [0.5, 1, 0]
        expect(page.get_by_role("progressbar")).to_have_attribute("value", "3")
        press(page, "u")
        expect(page.get_by_role("status")).to_have_text("Taken back: it waits again.")
        page.keyboard.press("p")
        page.keyboard.type("0.5")
        press(page, "Enter")
        assert review.fractions() == [0.5, 1, 0, None, 0.25]
        here = page.url
        press(page, "k")
        assert page.url != here
        press(page, "j")
        assert page.url == here
        press(page, "ArrowLeft", "b")
        assert review.fractions()[-1] is None
        press(page, "o")
        expect(page.get_by_role("heading", level=1)).to_have_text("To decide")


def test_the_help_opens_over_the_page_and_turns_the_keys_off(page: Page, small_class: Path) -> None:
    with served(small_class) as review:
        enter(page, review)
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("take this decision back")).to_be_visible()
        dialog.get_by_role("checkbox").press("Space")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        page.keyboard.press("?")
        expect(dialog).to_be_hidden()
        page.reload()
        page.keyboard.press("?")
        expect(dialog).to_be_hidden()


def test_it_works_without_scripts_and_without_a_mouse(chromium: Browser, small_class: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    with served(small_class, "--lang", "fr") as review:
        enter(page, review)
        page.get_by_role("link", name="Commencer").press("Enter")
        page.get_by_role("checkbox", name="du logiciel imite la carte").press("Space")
        page.get_by_label("Commentaire pour l’étudiant").press_sequentially("bien")
        page.get_by_role("button", name="Ce qui est coché").press("Enter")
        expect(page.get_by_role("status")).to_have_text("Enregistré\u00a0: 2 points sur 2.")
        assert [(one.fraction, one.comment) for one in review.saved()] == [(1, "bien")]
        page.get_by_role("button", name="Annuler").press("Enter")
        expect(page.get_by_role("status")).to_be_visible()
        assert review.fractions() == [1, None]
        page.get_by_role("link", name="Montrer les noms").press("Enter")
        expect(page.get_by_text("bob")).to_be_visible()
        page.get_by_role("link", name="Aide").press("Enter")
        expect(page.locator("main").get_by_text("annuler la dernière décision")).to_be_visible()
    context.close()


def test_every_control_that_has_the_focus_shows_it(page: Page, small_class: Path) -> None:
    with served(small_class) as review:
        enter(page, review)
        press(page, "n")
        seen = set()
        for _ in range(30):
            page.keyboard.press("Tab")
            name, width = page.evaluate(FOCUS)
            if name.startswith("BODY"):
                break
            seen.add(name)
            assert width >= 2, name
        assert len(seen) >= 12


@pytest.mark.parametrize(("lang", "scheme", "width"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    chromium: Browser, small_class: Path, lang: str, scheme: Any, width: int
) -> None:
    # axe is put into the page from outside, which the page's own rules forbid to everybody else.
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 740}, bypass_csp=True
    )
    page = context.new_page()
    found = {}
    with served(small_class, "--lang", lang) as review:
        enter(page, review)
        first = page.get_by_role("link").nth(1).get_attribute("href")
        rows = page.get_by_role("row").get_by_role("link").all()
        items = [link.get_attribute("href") for link in rows]
        press(page, "n", "f")
        paths = ["/", "/help", "/none", *items, f"{items[0]}?names=1", "?"]
        assert first
        for path in paths:
            if path == "?":
                page.keyboard.press("?")
                expect(page.get_by_role("dialog")).to_be_visible()
            else:
                page.goto(review.url.split("/?")[0] + str(path))
            found[path] = [
                (one["id"], one["impact"], [node["target"] for node in one["nodes"]])
                for one in Axe().run(page).response["violations"]
            ]
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()
    assert len(found) >= 6
    assert not {path: rows for path, rows in found.items() if rows}


def test_hostile_text_stays_text_and_nothing_is_fetched_from_elsewhere(page: Page, small_class: Path) -> None:
    said: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.add(request.url))
    with served(small_class) as review:
        enter(page, review)
        press(page, "n", "j", "j")
        hostile = page.locator("blockquote", has_text="onerror=")
        if not hostile.count():
            press(page, "k")
        expect(hostile).to_contain_text("<script>document.title=")
        assert page.locator("blockquote *").count() == 0
        page.keyboard.press("c")
        page.keyboard.type("</textarea><script>document.title='owned'</script>\u202e")
        press(page, "Control+Enter")
        page.go_back()
        page.reload()
        assert "owned" not in page.title()
        origin = review.url.split("/?")[0]
        assert asked
        assert all(url.startswith(f"{origin}/") for url in asked)
    assert said == []


def test_what_was_decided_survives_a_kill_at_once(page: Page, small_class: Path) -> None:
    with served(small_class) as review:
        enter(page, review)
        press(page, "n", "f")
        review.process.kill()
        assert review.fractions() == [1]
    with served(small_class) as again:
        enter(page, again)
        expect(page.get_by_role("progressbar")).to_have_attribute("value", "1")
        # What is started again has an address of its own: the old one is worth nothing.
        assert again.url != review.url


def test_ctrl_c_ends_it_and_the_marks_are_written(page: Page, small_class: Path) -> None:
    before = open_markbook(small_class / "markbook").grade()
    with served(small_class, "--lang", "fr") as review:
        enter(page, review)
        press(page, "n", "f")
        review.process.send_signal(signal.SIGINT)
        stdout, stderr = review.process.communicate(timeout=60)
        assert review.process.returncode == 4
    assert "réponses décidées : 1 sur 5" in stdout
    assert "Traceback" not in stderr
    after = open_markbook(small_class / "markbook").grade()
    assert after.submissions[0].score == before.submissions[0].score + 2
    assert (
        json.loads((small_class / "markbook/ledger.jsonl").read_text().splitlines()[-1])["cause"] == "decided"
    )
