"""Every page that tdlab writes, in a real browser: readable by everybody, narrow enough for a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from grader import report
from grader.experiments import result
from grader.hosts import page as hosts
from grader.hosts.document import HostsReport
from grader.lab import lab as labs
from grader.lab import variants
from grader.language import LANGUAGES, Lang
from grader.measure import run
from grader.sheet import source
from grader.sheet.page import html_text

pytestmark = pytest.mark.integration
DATA = Path(__file__).parents[1] / "data/report"
WIDTHS = (1200, 360)
NAMES = ("sheet", "first-vm", "run", "run-kvm", "experiment", "feedback", "class", "hosts")
# Tables whose rows become blocks on a phone, and are still wider than the place they have.
CUT = """() => [...document.querySelectorAll('.stacked')]
  .filter(table => table.scrollWidth > table.parentElement.clientWidth).length"""
# What has the focus, whether it is seen to have it, and what it is called.
FOCUS = """() => {
  const here = document.activeElement;
  const shown = document.querySelector(`label[for="${here.id}"]`) ?? here;
  const name = here.getAttribute('aria-label') || shown.textContent.trim();
  return [here.tagName, name, parseFloat(getComputedStyle(shown).outlineWidth)];
}"""


def sheet(slug: str, lang: Lang, folder: Path) -> Path:
    lab = variants.drawn(labs.load(labs.find(slug)), "Zoé")
    page = folder / f"{slug}.{lang}.html"
    page.write_text(html_text(source.read(lab, lang), lab, lang, whose="Zoé"))
    return page


def of_the_class(name: str, lang: Lang, book: Path) -> Path:
    from click.testing import CliRunner

    from grader.cli import tdlab

    to = book / f"{name}.{lang}"
    options = ["feedback", "--into", str(to)] if name == "feedback" else ["report", "--out", f"{to}.html"]
    done = CliRunner().invoke(tdlab, [*options, "--lang", lang, str(book)], standalone_mode=False)
    assert done.exception is None, done.output
    return min(to.glob("*.html")) if name == "feedback" else Path(f"{to}.html")


@pytest.fixture(params=NAMES)
def page_file(request: pytest.FixtureRequest, lang: Lang, tmp_path: Path, small_class: Path) -> Path:
    """One page, as tdlab writes it."""
    match request.param:
        case "sheet":
            return sheet("r202", lang, tmp_path)
        case "first-vm":
            return sheet("first-vm", lang, tmp_path)
        case "run" | "run-kvm" as name:
            measured = run.read(DATA / f"{name}.json")
            return next(one for one in report.write(measured, tmp_path, lang=lang) if one.suffix == ".html")
        case "hosts":
            shown = HostsReport.model_validate_json((DATA.parent / "many-hosts/hosts.json").read_text())
            hosts.write(tmp_path, shown, lang=lang)
            return tmp_path / "hosts.html"
        case "experiment":
            kept = next((DATA / "experiments/shadow-paging").glob("*.json"))
            return report.write_experiment(result.read(kept), tmp_path / "experiment", lang=lang)
        case name:
            return of_the_class(name, lang, small_class / "markbook")


@pytest.fixture(params=LANGUAGES)
def lang(request: pytest.FixtureRequest) -> Lang:
    return cast("Lang", request.param)


def opened(browser: Browser, file: Path, scheme: Any, width: int) -> Page:
    # axe is put into the page from outside, which the page's own rules forbid to everybody else.
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    page = context.new_page()
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    chromium: Browser, page_file: Path, lang: Lang, scheme: str
) -> None:
    for width in WIDTHS:
        page = opened(chromium, page_file, scheme, width)
        found = [
            (one["id"], one["impact"], [node["target"] for node in one["nodes"]])
            for one in Axe().run(page).response["violations"]
        ]
        assert not found, width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.evaluate(CUT) == 0, width
        assert page.get_attribute("html", "lang") == lang
        page.context.close()


def test_what_has_the_focus_shows_it_and_has_a_name(chromium: Browser, page_file: Path) -> None:
    page = opened(chromium, page_file, "light", 360)
    for _ in range(40):
        page.keyboard.press("Tab")
        tag, name, outline = page.evaluate(FOCUS)
        if tag == "BODY":
            break
        assert name, tag
        assert outline >= 1, name
    page.context.close()
