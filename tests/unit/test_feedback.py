"""The page that a student gets back: all of their own work, inert, and nothing that is not theirs."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime

import pytest
from lxml import html

from domains.paths import LABS
from grader.lab import lab as labs
from grader.lab import variants
from grader.lab.lab import Lab
from grader.lab.questions import CodeQuestion
from grader.language import LANGUAGES, Lang
from grader.language.bilingual import typeset
from grader.report.feedback import words
from grader.report.feedback.page import Student, html_text
from grader.results.result import CheckResult, Evidence, Outcome, SubmissionGrade
from grader.results.score import submission_grade

HOSTILE = (
    "</style><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} =SUM(A1) \u202egnp\x1b[2J\x00"
)
NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
ZOE = Student("Zoé", NOW)


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(LABS / "r202")


def grade_of(lab: Lab, *changed: CheckResult, **more: object) -> SubmissionGrade:
    named = {one.id: one for one in changed}
    right = [
        CheckResult(
            id=one.id, outcome=Outcome.PASS, points=one.points, max=one.points, expected="E", actual="A"
        )
        for one in lab
    ]
    found = [named.pop(one.id, one) for one in right] + list(named.values())
    return submission_grade("zoe", found).model_copy(update=more)


def page(lab: Lab, grade: SubmissionGrade, lang: Lang = "en", **how: bool) -> html.HtmlElement:
    text = html_text(lab, grade, {one.id: one for one in lab}, ZOE, lang, **how)
    return html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))


def said(tree: html.HtmlElement) -> str:
    """Return the text that is shown; spaces that do not break stay."""
    shown = tree.body if tree.tag == "html" else tree
    return " ".join(one for one in re.split(r"[ \n\t]+", " ".join(shown.itertext())) if one)


def article(tree: html.HtmlElement, question: str) -> str:
    (found,) = tree.xpath("//article[@aria-labelledby=$id]", id=f"q-{question}")
    return said(found)


def test_the_mark_the_parts_and_every_question_are_told(lab: Lab) -> None:
    wrong = CheckResult(
        id="1.1", outcome=Outcome.FAIL, max=1, expected="it is QEMU", actual="Xen", hint="Look."
    )
    tree = page(lab, grade_of(lab, wrong))
    text = said(tree)
    assert "Your mark 19.67 / 20 59 of 60 points" in text
    assert "The processor 19 / 20" in text
    assert len(tree.xpath("//article")) == len(list(lab))
    one = article(tree, "1.1")
    assert "not right" in one
    assert "Which virtualisation solution" in one
    assert "your answer Xen" in one
    assert "a right answer holds it is QEMU" in one
    assert "hint Look." in one


def test_what_a_right_answer_holds_can_be_kept_and_is_not_told_to_who_is_right_or_waits(lab: Lab) -> None:
    wrong = CheckResult(id="1.1", outcome=Outcome.FAIL, max=1, expected="SECRET")
    open_ = CheckResult(id="1.2", outcome=Outcome.INCONCLUSIVE, max=2, expected="SECRET")
    assert said(page(lab, grade_of(lab, wrong, open_))).count("SECRET") == 1
    assert "SECRET" not in said(page(lab, grade_of(lab, wrong, open_), with_answers=False))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_open_is_said_with_what_it_costs(lab: Lab, lang: Lang) -> None:
    grade = grade_of(
        lab,
        CheckResult(id="1.2", outcome=Outcome.INCONCLUSIVE, max=2),
        CheckResult(id="2.2", outcome=Outcome.ERROR, max=3),
        CheckResult(id="3.1-exits", outcome=Outcome.SKIPPED, max=1),
    )
    text = said(page(lab, grade, lang))
    for name, question in (("WAITING", "1.2"), ("BROKEN", "2.2"), ("SKIPPED", "3.1-exits")):
        assert typeset(getattr(words, name).say(lang, questions=question), lang) in text
    assert words.PROVISIONAL.say(lang) in text


def test_lateness_and_what_is_unverified_are_said_without_accusing(lab: Lab) -> None:
    grade = grade_of(
        lab, late=93_000.0, penalty=6.0, score=54.0, unverified="the signature is of another key"
    )
    text = said(page(lab, grade))
    assert "Handed in 1 d 1 h after the deadline, which costs 6 pt." in text
    assert "taken for lateness −6" in text
    assert "54 / 60" in text
    assert "could not verify everything that came with your work: the signature is of another key" in text
    assert not re.search(r"cheat|fraud|plagiar|triche", text)


def test_a_hidden_check_shows_in_the_total_alone(lab: Lab) -> None:
    hidden = CheckResult(
        id="HIDDEN-ID", outcome=Outcome.FAIL, points=1, max=3, hint="HIDDEN-HINT", actual="HIDDEN-SEEN"
    )
    broken = CheckResult(id="HIDDEN-TWO", outcome=Outcome.ERROR, max=1, hint="HIDDEN-CAUSE")
    text = html_text(lab, grade_of(lab, hidden, broken), {}, ZOE, "en")
    assert "HIDDEN" not in text
    assert "other checks 1 / 3" in said(page(lab, grade_of(lab, hidden)))


@pytest.mark.parametrize("shown", [False, True])
def test_what_the_labs_own_tests_expect_is_told_only_where_the_author_shows_it(lab: Lab, shown: bool) -> None:
    first = next(iter(lab))
    code = CodeQuestion(
        id=first.id, kind="code", points=first.points, ask=first.ask, hint=first.hint, shown=shown
    )
    wrong = CheckResult(id=first.id, outcome=Outcome.FAIL, max=first.points, expected="SECRET", actual="x")
    text = html_text(lab, grade_of(lab, wrong), {first.id: code}, ZOE, "en")
    assert ("SECRET" in text) == shown


def test_the_rubric_stays_with_the_teacher(lab: Lab) -> None:
    seen = Evidence(source="wrong idea RUBRIC-ID", seen="said: RUBRIC-WORDS")
    wrong = CheckResult(id="1.1", outcome=Outcome.FAIL, max=1, evidence=(seen,))
    assert "RUBRIC" not in html_text(lab, grade_of(lab, wrong), {}, ZOE, "en")


def test_what_the_teacher_decided_carries_their_comment(lab: Lab) -> None:
    decided = CheckResult(
        id="1.1",
        outcome=Outcome.PARTIAL,
        points=0.5,
        max=1,
        hint="Well seen.",
        evidence=(Evidence(source="teacher", seen="2026-11-23"),),
    )
    assert "your teacher says Well seen." in article(page(lab, grade_of(lab, decided)), "1.1")
    assert "votre enseignant dit Well seen." in article(page(lab, grade_of(lab, decided), "fr"), "1.1")


def test_options_stand_under_the_letters_that_this_student_had(lab: Lab) -> None:
    mine = variants.drawn(lab, "Zoé")
    asked = {one.id: one for one in mine}
    letters = list(asked["vmcs-entry"].options)  # type: ignore[union-attr]
    wrong = CheckResult(id="vmcs-entry", outcome=Outcome.FAIL, max=1, actual=f"{letters[0]}: something")
    text = html_text(lab, grade_of(lab, wrong), asked, ZOE, "en")
    tree = html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))
    (chosen,) = tree.xpath("//article[@aria-labelledby='q-vmcs-entry']//li[@class='chosen']")
    option = asked["vmcs-entry"].options[letters[0]].en  # type: ignore[union-attr]
    assert said(chosen) == f"{letters[0]} {option} (your choice)"


def test_all_that_came_from_others_is_inert(lab: Lab) -> None:
    hostile = [
        CheckResult(
            id=one.id, outcome=Outcome.FAIL, max=one.points, actual=HOSTILE, hint=HOSTILE, expected=HOSTILE
        )
        for one in lab
    ]
    grade = submission_grade(HOSTILE, hostile).model_copy(update={"unverified": HOSTILE, "late": 60.0})
    text = html_text(lab, grade, {}, Student(HOSTILE), "fr")
    assert not {"\x1b", "\x00", "\u202e"} & set(text)
    tree = html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))
    assert not tree.xpath(
        "//script | //img | //link | //iframe | //*[@style] | //@*[starts-with(name(), 'on')]"
    )
    assert len(tree.xpath("//style")) == 1
    assert "49" not in said(tree.xpath("//h1")[0])


def test_the_policy_allows_the_pages_own_style_alone(lab: Lab) -> None:
    tree = page(lab, grade_of(lab))
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = tree.xpath("//style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not tree.xpath("//@src | //a[starts-with(@href, 'http')]")


def test_french_is_typeset_as_french_is(lab: Lab) -> None:
    tree = page(lab, grade_of(lab, CheckResult(id="1.2", outcome=Outcome.ERROR, max=2)), "fr")
    assert tree.get("lang") == "fr"
    assert "19,67" not in said(tree)
    assert re.findall(r".{20} [;:!?].{5}", said(tree)) == []
