"""The page: inert, self-contained, readable in both themes and both languages."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from lxml import html

from grader import look
from grader.measure import run
from grader.measure.run import CellResult, Run
from grader.report.html import TEMPLATES, html_text
from grader.results.result import CheckResult, Grade, Outcome, SubmissionGrade

DATA = Path(__file__).parent.parent / "data/report"
HOSTILE = (
    "</style><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} {% x %} \u202egnp\x1b[2J\x00"
)


@pytest.fixture(scope="module")
def tcg() -> Run:
    return run.read(DATA / "run.json")


@pytest.fixture(scope="module")
def kvm() -> Run:
    return run.read(DATA / "run-kvm.json")


def page(text: str) -> html.HtmlElement:
    return html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))


def text_of(tree: html.HtmlElement, lang: str) -> str:
    (main,) = tree.xpath(f"//article[@lang='{lang}']")
    return " ".join(main.text_content().split())


def hostile_run(tcg: Run) -> Run:
    measured = tcg.cells[0].model_copy(
        update={"id": HOSTILE, "ran": {"accelerator": HOSTILE, HOSTILE: HOSTILE}, "xml": HOSTILE}
    )
    skipped = CellResult(id=HOSTILE, spec=measured.spec, status="skipped", cause=HOSTILE, remedy=HOSTILE)
    return tcg.model_copy(
        update={
            "id": HOSTILE,
            "title": {"en": HOSTILE, "fr": HOSTILE},
            "started": HOSTILE,
            "tdlab": HOSTILE,
            "workload": {HOSTILE: HOSTILE},
            "environment": {HOSTILE: [HOSTILE], "accelerator": "tcg", "accelerator_why": HOSTILE},
            "notes": (HOSTILE,),
            "cells": (measured, skipped),
        }
    )


def hostile_grade() -> Grade:
    question = CheckResult(
        id=HOSTILE, outcome=Outcome.FAIL, expected=HOSTILE, actual=HOSTILE + "x" * 9_000, hint=HOSTILE
    )
    submission = SubmissionGrade(student=HOSTILE, score=0, max=1, questions=(question,))
    return Grade(lab=HOSTILE, lab_hash="", grader_hash="", submissions=(submission,))


def test_what_came_from_others_is_inert(tcg: Run) -> None:
    text = html_text(hostile_run(tcg), hostile_grade())
    tree = page(text)
    assert not tree.xpath("//script | //img | //iframe | //link | //object | //form | //base")
    assert not [name for one in tree.iter() for name in one.attrib if name.startswith("on")]
    assert len(tree.xpath("//style")) == 1
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "⟨U+202E⟩" in text
    assert "{{ 7*7 }}" in text
    # 4,000 characters are shown; that there is more is said.
    assert "[…+" in text


def test_the_page_needs_nothing_from_outside_and_runs_no_script(tcg: Run) -> None:
    tree = page(html_text(tcg))
    for one in tree.iter():
        assert not {"src", "srcset", "style", "action", "data"} & set(one.attrib), one.tag
        assert one.get("href", "#").startswith("#")
    (style,) = tree.xpath("//style/text()")
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_ids_are_unique_and_links_arrive(tcg: Run) -> None:
    tree = page(html_text(tcg))
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in tree.xpath("//@href")} <= set(ids)
    assert set(tree.xpath("//label/@for")) <= set(ids)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_page_opens_in_the_language_asked_for(lang: str, tcg: Run) -> None:
    tree = page(html_text(tcg, lang=lang))
    assert tree.get("lang") == lang
    assert tree.xpath("//input[@checked]/@id") == [f"lang-{lang}"]
    assert sorted(tree.xpath("//article/@lang")) == ["en", "fr"]


def test_tcg_is_said_loudly_and_exits_are_not_zero(tcg: Run) -> None:
    cells = tuple(cell for cell in tcg.cells if cell.ran.get("accelerator") != "kvm")
    tree = page(html_text(tcg.model_copy(update={"cells": cells})))
    english, french = text_of(tree, "en"), text_of(tree, "fr")
    assert "TCG, not KVM." in english
    assert "Why KVM was refused: /dev/kvm opens, but the tiny guest did not boot" in english
    assert "TCG, et non KVM." in french
    assert "Exits per MB: not measurable. TCG has no VM exits" in english
    assert not tree.xpath("//*[contains(@class, 'exit-')]")


def test_exits_stand_beside_the_throughput_where_they_were_counted(kvm: Run) -> None:
    tree = page(html_text(kvm))
    english = text_of(tree, "en")
    assert "The guests ran under KVM" in english
    assert "Why: to move one MB, e1000 leaves the guest 153 times, 46.2 of them" in english
    # Two languages, five cells besides the one that ran on shadow page tables and its twin.
    assert len(tree.xpath("//td[contains(@class, 'exits-num')]")) == 2 * 6


def test_ept_on_and_off_stand_side_by_side(kvm: Run) -> None:
    tree = page(html_text(kvm))
    (section,) = tree.xpath("//article[@lang='en']//section[h3='EPT or RVI, on and off']")
    lines = {row.xpath("string(th)"): row for row in section.xpath(".//tbody/tr")}
    assert "from start to ready, s" in lines
    assert lines["page faults taken by the hypervisor, per MB"].xpath("string(td[3]/b)") == "27.2"


def test_every_figure_has_a_name_and_its_numbers(tcg: Run, kvm: Run) -> None:
    for one in (tcg, kvm):
        plots = page(html_text(one)).xpath("//svg[@role='img']")
        assert plots
        assert all(plot.xpath("string(title)").strip() for plot in plots)


def test_what_ran_otherwise_than_asked_is_marked(tcg: Run) -> None:
    tree = page(html_text(tcg))
    assert [mark.text for mark in tree.xpath("//article[@lang='en']//td/mark")] == ["asked on, ran off"]
    assert [mark.text for mark in tree.xpath("//article[@lang='fr']//td/mark")] == ["demandé on, obtenu off"]


def test_missing_cells_have_cause_and_remedy(tcg: Run) -> None:
    english = text_of(page(html_text(tcg)), "en")
    for cell in tcg.cells:
        if cell.status == "skipped":
            assert cell.cause in english
            assert cell.remedy in english


def test_our_errors_show_no_points(tcg: Run) -> None:
    grade = Grade.model_validate_json((DATA / "grade.json").read_bytes())
    tree = page(html_text(tcg, grade))
    said = {
        item.get("class"): item.xpath("string(.//span[@class='points'])")
        for item in tree.xpath("//article[@lang='en']//ol/li")
    }
    assert said["error"] == said["skipped"] == "not counted"
    assert said["fail"] == "0 / 3"
    assert said["partial"] == "1.5 / 2"
    assert said["inconclusive"] == "– / 2"


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * one for one in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_colours_have_the_contrast_that_wcag_aa_asks_for(theme: int) -> None:
    style = look.style_of(TEMPLATES / "report.css")
    blocks = re.findall(r":root \{([^}]*)\}", style)
    assert len(blocks) == 3
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", blocks[0]))
    colours = light | dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", blocks[theme]))
    for text in ("ink", "muted", "to", "from", "good", "bad", "loud", "mmio", "violet", "teal"):
        assert contrast(colours[text], colours["paper"]) >= 4.5, text
    for text in ("ink", "muted"):
        assert contrast(colours[text], colours["wash"]) >= 4.5, text
    assert contrast(colours["loud"], colours["loud-wash"]) >= 4.5
    for shape in ("mmio", "pio", "other"):
        assert contrast(colours[shape], colours["paper"]) >= 3, shape
