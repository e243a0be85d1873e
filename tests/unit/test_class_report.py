"""The class report: figures that others compute too, signals and no verdicts, and a page that is inert."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from lxml import html
from rich.console import Console

from domains.paths import LABS
from grader.lab import lab as labs
from grader.lab import variants
from grader.lab.lab import Lab
from grader.language import LANGUAGES, Lang
from grader.report.classroom import alike, document, glimpse, ideas, items, overview, timing
from grader.report.classroom.glimpse import Glimpse, Measured
from grader.report.classroom.page import html_text
from grader.report.classroom.terminal import print_overview
from grader.results.result import CheckResult, Evidence, Grade, Outcome, SubmissionGrade
from grader.results.score import submission_grade
from grader.submission.answers import Answer, Answers
from grader.submission.evidence import Bundle
from grader.submission.submission import Submission

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} {0} \u202egnp\x1b[2J\x00"
LONG = "Chaque écriture dans une table protégée fait sortir du mode invité et c'est là tout le prix payé ici"


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(LABS / "r202")


def graded(student: str, points: Sequence[float], outcome: Outcome | None = None) -> SubmissionGrade:
    found = [
        CheckResult(
            id=f"q{at}", outcome=outcome or (Outcome.PASS if one else Outcome.FAIL), points=one, max=1
        )
        for at, one in enumerate(points)
    ]
    return submission_grade(student, found)


def test_discrimination_is_the_point_biserial_correlation_with_the_rest(lab: Lab) -> None:
    from scipy import stats

    rows = [[(at * step) % 7 > 3 for step in (1, 2, 3, 5)] for at in range(24)]
    found = items.analyse(lab, [graded(f"s{at}", [float(one) for one in row]) for at, row in enumerate(rows)])
    assert [one.id for one in found] == ["q0", "q1", "q2", "q3"]
    for at, one in enumerate(found):
        own = [row[at] for row in rows]
        rest = [sum(row) - row[at] for row in rows]
        assert one.discrimination == pytest.approx(stats.pointbiserialr(own, rest).statistic, abs=1e-4)
        assert one.mean == pytest.approx(sum(own) / 24)


def test_a_question_is_not_compared_with_itself(lab: Lab) -> None:
    # Two questions of opposite answers: with the total both would seem to tell nothing, not the contrary.
    found = items.analyse(lab, [graded(f"s{at}", [at % 2, 1 - at % 2]) for at in range(20)])
    assert [one.discrimination for one in found] == [-1.0, -1.0]


def test_what_cannot_be_computed_says_why(lab: Lab) -> None:
    few = items.analyse(lab, [graded(f"s{at}", [at % 2, 1]) for at in range(items.ENOUGH - 1)])
    same = items.analyse(lab, [graded(f"s{at}", [1, at % 2]) for at in range(20)])
    assert [(one.discrimination, one.why_none) for one in few] == [(None, "few")] * 2
    assert [(one.discrimination, one.why_none) for one in same] == [(None, "alike")] * 2


def test_what_was_not_graded_counts_in_no_figure(lab: Lab) -> None:
    rows = [graded(f"s{at}", [1, 0]) for at in range(3)] + [graded("out", [0, 0], Outcome.SKIPPED)]
    first, _ = items.analyse(lab, rows)
    assert (first.graded, first.mean, first.outcomes[Outcome.SKIPPED]) == (3, 1.0, 1)


def submission(lab: Lab, student: str, **answers: object) -> Submission:
    mine = variants.drawn(lab, student)
    values = {
        key.strip("_").replace("_", ".", 1).replace("_", "-"): Answer(one) for key, one in answers.items()
    }
    given = Answers(lang="fr", student=student, values=values)
    return Submission(student, given, Bundle(), {}, {one.id: one for one in mine}, "fr")


def wrong_letter(lab: Lab, student: str, question: str, option: str) -> str:
    """Return the letter under which a student finds an option of the author's."""
    asked = {one.id: one for one in variants.drawn(lab, student)}[question]
    written = lab.question(question)
    assert hasattr(asked, "options")
    assert hasattr(written, "options")
    return next(letter for letter, text in asked.options.items() if text == written.options[option])


def test_a_wrong_option_is_one_under_everybodys_letters(lab: Lab) -> None:
    names = [f"student {at}" for at in range(6)]
    letters = {name: wrong_letter(lab, name, "vmcs-entry", "c") for name in names}
    assert len(set(letters.values())) > 1
    seen = [glimpse.take(one, one, submission(lab, one, **{"vmcs-entry": letters[one]})) for one in names]
    (found,) = ideas.found(lab, [graded(one, [1]) for one in names], seen)
    assert (found.question, found.count, found.of) == ("vmcs-entry", 6, 6)
    assert found.option is not None
    assert found.option.en == "in a file of QEMU's"
    assert found.feedback is not None
    assert "The VMCS is in memory" in found.feedback.en


def test_a_wrong_idea_in_a_text_counts_once_a_student_and_only_when_said(lab: Lab) -> None:
    def one(student: str, *seen: str) -> SubmissionGrade:
        evidence = tuple(Evidence(source="wrong idea ring-0", seen=text) for text in seen)
        return submission_grade(
            student, [CheckResult(id="1.2", outcome=Outcome.FAIL, max=2, evidence=evidence)]
        )

    rows = [one("a", "said: ring 0", "said: anneau 0"), one("b", "denied: ring 0"), one("c")]
    (found,) = ideas.found(lab, rows, [])
    assert (found.question, found.count, found.option) == ("1.2", 1, None)
    assert found.feedback is not None
    assert "ring 0" in found.feedback.en


def texts(**by_student: dict[str, str]) -> list[Glimpse]:
    return [Glimpse(student, student, found) for student, found in by_student.items()]


def test_near_identical_answers_are_found_across_case_accents_and_small_changes(lab: Lab) -> None:
    other = (
        "L'hyperviseur recopie la table de l'invité et chaque défaut de page coûte une sortie de plus hélas"
    )
    found = alike.found(
        lab,
        texts(
            ann={"2.2": LONG, "2.1": other},
            bob={"2.2": LONG.upper().replace("É", "E") + " !", "2.1": other.replace("hélas", "helas donc")},
            eve={
                "2.2": "Parce que les tables fantômes prennent de la mémoire et que tout ralentit, je crois"
            },
        ),
    )
    assert [(one.students, one.questions) for one in found] == [(("ann", "bob"), ("2.1", "2.2"))]
    assert found[0].nearness >= alike.NEAR


def test_what_copies_the_sheet_or_the_question_or_is_short_is_no_signal(lab: Lab) -> None:
    sheet = (lab.folder / "sheet.fr.md").read_text(encoding="utf-8")
    copied = max(re.findall(r"[^\n]+", sheet), key=len)
    assert len(copied.split()) > 20
    asked = lab.question("3.6")
    assert asked is not None
    both = {"2.2": copied, "3.6": asked.ask.fr, "1.3": "c'est lent", "1.4": "x" * 500}
    assert alike.found(lab, texts(ann=both, bob=both)) == ()


def test_a_text_that_many_share_joins_no_pair(lab: Lab) -> None:
    many = {f"s{at}": {"2.2": LONG, "2.1": LONG + " et voilà"} for at in range(alike.FEW + 1)}
    found = alike.found(lab, texts(**many))
    assert [(len(one.students), one.questions) for one in found] == [(5, ("2.1",)), (5, ("2.2",))]


def run(name: str, started: datetime | None, seconds: float | None = 60, least: float = 0) -> Measured:
    finished = started + timedelta(seconds=seconds) if started and seconds is not None else None
    return Measured(name, started, finished, least)


def test_times_that_cannot_be_are_signals_and_clocks_may_differ_a_little() -> None:
    found = timing.found(
        [
            Glimpse("late", "", measured=run("a", NOW + timedelta(hours=1)), handed_in=NOW),
            Glimpse("clock", "", measured=run("b", NOW + timedelta(minutes=2)), handed_in=NOW),
            Glimpse("short", "", measured=run("c", NOW, 20, least=48), handed_in=NOW + timedelta(days=1)),
            Glimpse("open", "", measured=run("d", NOW, None, least=48), handed_in=NOW + timedelta(days=1)),
            Glimpse("nothing", ""),
            Glimpse("early", "", began=NOW + timedelta(hours=1), handed_in=NOW),
            Glimpse("older", "", measured=run("e", NOW), began=NOW + timedelta(hours=1)),
        ]
    )
    assert [(one.kind, *one.students) for one in found] == [
        ("measured-after", "late"),
        ("too-short", "short"),
        ("begun-after", "early"),
        ("measured-before", "older"),
    ]
    assert found[1].seen == ("20", "48")


def test_one_run_or_one_archive_of_two_is_said_once() -> None:
    shared = run("a", NOW)
    one, two, three = (
        Glimpse(name, "", measured=shared, sha256=sha) for name, sha in (("x", "1"), ("y", "1"), ("z", ""))
    )
    assert [(found.kind, found.students) for found in timing.found([one, two])] == [
        ("same-archive", ("x", "y"))
    ]
    kinds = [(found.kind, found.students) for found in timing.found([one, two, three])]
    assert kinds == [("same-archive", ("x", "y")), ("same-run", ("x", "y", "z"))]


def class_of(lab: Lab, *, name: str = "", hint: str = "h") -> tuple[Grade, list[Glimpse]]:
    outcomes = itertools.cycle(
        [Outcome.PASS, Outcome.FAIL, Outcome.PARTIAL, Outcome.INCONCLUSIVE, Outcome.ERROR]
    )
    rows, seen = [], []
    for at in range(12):
        results = []
        for question in lab:
            own = next(outcomes) if at % 3 else Outcome.PASS
            share = {Outcome.PASS: 1.0, Outcome.PARTIAL: 0.5}.get(own, 0.0)
            results.append(
                CheckResult(
                    id=question.id,
                    outcome=own,
                    points=question.points * share,
                    max=question.points,
                    hint=hint,
                )
            )
        key = f"{name}{at}"
        rows.append(submission_grade(key, results).model_copy(update={"late": at % 2, "unverified": hint}))
        seen.append(Glimpse(key, f"{name} {at}", {"2.2": f"{name} {LONG}"}, measured=run("r", NOW)))
    return Grade(lab=lab.slug, lab_hash="", grader_hash="", submissions=tuple(rows)), seen


def test_the_overview_counts_what_is_open_by_cause(lab: Lab) -> None:
    grade, seen = class_of(lab, name="zoe", hint="the host could not be asked")
    found = overview.of(lab, grade, seen)
    (cause,) = found.errors
    assert (cause.said, cause.students) == ("the host could not be asked", 8)
    assert cause.count == sum(one.outcomes.get(Outcome.ERROR, 0) for one in found.items)
    assert found.unfinished == 8
    assert sum(found.marks.columns) == len(found.marks.values) == 12
    assert found.marks.columns[19] >= 4, "20 of 20 stands in the last column"


def test_anonymous_shows_neither_names_nor_answers(lab: Lab) -> None:
    grade, seen = class_of(lab, name="zoe-martin")
    found = overview.of(lab, grade, seen, anonymous=True)
    shown = html_text(found, "fr", NOW) + json.dumps(document.of(found, "fr"))
    assert "zoe" not in shown.casefold()
    assert "écriture dans une table protégée" not in shown
    assert "#001" in shown
    assert overview.of(lab, grade, seen, anonymous=True) == found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_inert_and_complete(lab: Lab, lang: Lang) -> None:
    grade, seen = class_of(lab, name=HOSTILE, hint=HOSTILE)
    text = html_text(overview.of(lab, grade, seen), lang, NOW)
    assert not {"\x1b", "\x00", "\u202e"} & set(text)
    tree = html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))
    assert not tree.xpath(
        "//script | //img | //link | //*[@style] | //@*[starts-with(name(), 'on')] | //@src"
    )
    assert tree.get("lang") == lang
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert len(tree.xpath("//section[@aria-labelledby='questions']//tbody/tr")) == len(list(lab))
    assert len(tree.xpath("//*[@class='column']")) == sum(
        1 for one in overview.of(lab, grade, seen).marks.columns if one
    )
    shown = " ".join(tree.body.itertext())
    assert not re.search(r"cheat|fraud|plagiar|trich", shown)
    assert lang == "en" or re.findall(r"\w{3} [;:!?] \w", shown) == []


def test_an_empty_class_is_a_page_too(lab: Lab) -> None:
    grade = Grade(lab=lab.slug, lab_hash="", grader_hash="", submissions=())
    found = overview.of(lab, grade, [])
    assert "Nothing could be graded yet." in html_text(found, "en", NOW)
    assert document.of(found, "en")["marks"]["mean"] is None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_terminal_says_it_in_eighty_columns(lab: Lab, lang: Lang) -> None:
    grade, seen = class_of(lab, name=HOSTILE, hint=HOSTILE)
    out = StringIO()
    print_overview(overview.of(lab, grade, seen), lang, "book", Console(file=out, width=80, highlight=False))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in out.getvalue()
    assert any("█" in line for line in lines)


def test_json_has_its_schema_and_texts_in_one_language(lab: Lab) -> None:
    grade, seen = class_of(lab, name="zoe")
    data = json.loads(json.dumps(document.of(overview.of(lab, grade, seen), "fr")))
    assert data["schema"] == "tdlab.class/1"
    assert set(data["items"][0]) == {
        *("id", "points", "graded", "mean", "discrimination", "why_none", "outcomes"),
    }
    assert len(data["students"]) == 12
