"""What grading a class says on a terminal: a line a student, the totals, and what needs the teacher."""

from __future__ import annotations

import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from grader.classroom.markbook import GRADE_FILE, Markbook
from grader.classroom.roster import Student
from grader.language import Lang, causes
from grader.language.bilingual import Bilingual, both, typeset
from grader.language.i18n import fixed, points
from grader.language.inert import one_line
from grader.language.lines import wrapped
from grader.results import store
from grader.results.result import Outcome, SubmissionGrade
from grader.results.score import OUT_OF, mark

_WIDTH = 80
_NAME, _SCORE = 24, 9
# A class that is larger is not listed student by student, but for those whose work broke or is unreadable.
_ALL_LINES = 100
# Of each list so many are named, and the rest counted.
_MOST = 8

_HEAD = both("student", "étudiant")
_POINTS = both("points", "points")
_REVIEW = both("{count} to review", "{count} à relire")
_ERRORS = both("{count} {count:error|errors}", "{count} {count:erreur|erreurs}")
_LATE = both("late {time}", "retard {time}")
_TAKEN = both("late {time}, −{points}", "retard {time}, −{points}")
_UNREAD = both("unreadable", "illisible")
_TOTALS = both("{count} {count:student|students}", "{count} {count:étudiant|étudiants}")
_UNLISTED = both(
    "{count} {count:student is|students are} not listed here: every mark is in the report and in the export.",
    "{count} {count:étudiant n'est pas cité|étudiants ne sont pas cités} ici : toutes les notes sont dans "
    "le rapport et dans l'export.",
)
_MEAN = both("mean {mean}, median {median} of {most}", "moyenne {mean}, médiane {median} sur {most}")
_NO_MARK = both("{count} without a mark", "{count} sans note")
_WAITING = both(
    "{count} {count:answer is|answers are} for you to decide: {questions}",
    "{count} {count:réponse attend|réponses attendent} votre décision : {questions}",
)
_BROKE = both(
    "{count} {count:result is an error|results are errors} of ours, at no cost in points: {cause} ({where})",
    "{count} {count:résultat est une erreur|résultats sont des erreurs} de notre fait, "
    "sans perte de points : {cause} ({where})",
)
_PROBLEM = both("Not to be read, {name}: {why}", "Illisible, {name} : {why}")
_EARLIER = both(
    "{name}: a later attempt cannot be read, so {place} counts",
    "{name} : une tentative plus récente est illisible ; {place} compte donc",
)
_LEFT_OUT = both("Left out: {what}", "Laissé de côté : {what}")
_WHY = both("{count} unverified: {why} ({who})", "{count} {count:non vérifié|non vérifiés} : {why} ({who})")
_CLOCKS = {
    "gradescope": both("Times are Gradescope's.", "Les heures sont celles de Gradescope."),
    "archive": both(
        "Times are the archive's dates, read as this machine's local time.",
        "Les heures sont les dates de l'archive, lues à l'heure locale de cette machine.",
    ),
    "file": both("Times are the files' dates.", "Les heures sont les dates des fichiers."),
    "student": both(
        "Times are the students' own clocks: nothing else says when they handed in.",
        "Les heures sont celles des étudiants : rien d'autre ne dit quand ils ont rendu.",
    ),
    "none": both(
        "Of some nothing says when they were handed in.", "Pour certains, rien ne dit quand ils ont rendu."
    ),
}
_MORE = both("and {count} more", "et {count} {count:autre|autres}")
_NEXT = both("Next:", "Ensuite :")


@dataclass
class _Seen:
    """What is counted while the students go by."""

    marks: list[float] = field(default_factory=list)
    students: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    broke: dict[str, Counter[str]] = field(default_factory=dict)
    outcomes: set[Outcome] = field(default_factory=set)
    why: dict[str, list[str]] = field(default_factory=dict)


def lines(book: Markbook, lang: Lang, outcomes: set[Outcome]) -> Iterator[str]:
    """Yield what to print of a class, 80 columns wide; ``outcomes`` gathers those that were seen."""
    seen = _Seen(outcomes=outcomes)
    yield f"{_HEAD.say(lang):<{_NAME}}  {'/20':>5}  {_POINTS.say(lang):>{_SCORE}}"
    is_large = len(book.roster.students) > _ALL_LINES
    unlisted = 0
    for student, graded in zip(book.roster.students, store.each(book.folder / GRADE_FILE), strict=True):
        _count(graded, seen)
        if is_large and (not _is_pressing(student, graded) or seen.students - unlisted > _ALL_LINES):
            unlisted += 1
        else:
            yield _student(student, graded, lang)
    yield ""
    rest = [_UNLISTED.say(lang, count=unlisted)] if unlisted else []
    for said in (*rest, _totals(seen, lang), *_needed(book, seen, lang)):
        yield from wrapped(said, _WIDTH, then="  ")
    yield ""
    yield _NEXT.say(lang)
    review = [f"tdlab review {book.folder}"] if seen.waiting else []
    for command in (*review, f"tdlab report {book.folder}", f"tdlab export {book.folder} --format csv"):
        yield f"  {command}"


def _is_pressing(student: Student, graded: SubmissionGrade) -> bool:
    """Say whether work broke or could not be read: a mark alone can wait for the report."""
    chosen = student.chosen()
    unread = chosen is not None and chosen.problem is not None
    return unread or any(one.outcome is Outcome.ERROR for one in graded.questions)


def _count(graded: SubmissionGrade, seen: _Seen) -> None:
    seen.students += 1
    if (value := mark(graded)) is not None:
        seen.marks.append(value)
    for one in graded.questions:
        seen.outcomes.add(one.outcome)
        if one.outcome is Outcome.INCONCLUSIVE:
            seen.waiting[one.id] += 1
        elif one.outcome is Outcome.ERROR:
            seen.broke.setdefault(one_line(one.hint, limit=200), Counter())[graded.student] += 1
    for why in graded.unverified.split("; ") if graded.unverified else ():
        seen.why.setdefault(one_line(why, limit=160), []).append(graded.student)


def _student(student: Student, graded: SubmissionGrade, lang: Lang) -> str:
    value = mark(graded)
    shown = "–" if value is None else fixed(value, lang, decimals=1)
    score = f"{points(graded.score, lang)}/{points(graded.max, lang)}"
    counts = Counter(one.outcome for one in graded.questions)
    chosen = student.chosen()
    notes = [
        _UNREAD.say(lang) if chosen and chosen.problem else "",
        _counted(_REVIEW, counts[Outcome.INCONCLUSIVE], lang),
        _counted(_ERRORS, counts[Outcome.ERROR], lang),
        _lateness(graded, lang),
    ]
    line = f"{_column(student.key, _NAME)}  {shown:>5}  {score:>{_SCORE}}  {', '.join(filter(None, notes))}"
    return line.rstrip() if len(line) <= _WIDTH else line[: _WIDTH - 1].rstrip(" ,") + "…"


def _counted(text: Bilingual, count: int, lang: Lang) -> str:
    return text.say(lang, count=count) if count else ""


def _lateness(graded: SubmissionGrade, lang: Lang) -> str:
    if not graded.late:
        return ""
    minutes = int(-(-graded.late // 60))
    days, rest = divmod(minutes, 24 * 60)
    parts = ((days, "j" if lang == "fr" else "d"), (rest // 60, "h"), (rest % 60, "min"))
    time = " ".join(f"{count} {unit}" for count, unit in parts if count)
    if graded.penalty:
        return _TAKEN.say(lang, time=time, points=points(graded.penalty, lang))
    return _LATE.say(lang, time=time)


def _totals(seen: _Seen, lang: Lang) -> str:
    said = [_TOTALS.say(lang, count=seen.students)]
    if seen.marks:
        mean, median = statistics.fmean(seen.marks), statistics.median(seen.marks)
        values = {"mean": fixed(mean, lang, decimals=1), "median": fixed(median, lang, decimals=1)}
        said.append(_MEAN.say(lang, **values, most=OUT_OF))
    if without := seen.students - len(seen.marks):
        said.append(_NO_MARK.say(lang, count=without))
    return "; ".join(said) if lang == "en" else typeset(" ; ".join(said), lang)


def _needed(book: Markbook, seen: _Seen, lang: Lang) -> Iterator[str]:
    """Yield what a teacher has to look at, most pressing first."""
    for cause, students in sorted(seen.broke.items(), key=lambda one: -one[1].total()):
        where = _listed(students, lang)
        yield typeset(
            _BROKE.say(lang, count=students.total(), cause=causes.said(cause, lang), where=where), lang
        )
    unread = [
        (one, chosen.problem) for one in book.roster.students if (chosen := one.chosen()) and chosen.problem
    ]
    for student, why in unread[:_MOST]:
        yield typeset(
            _PROBLEM.say(lang, name=student.key, why=causes.said(one_line(why, limit=200), lang)), lang
        )
    if len(unread) > _MOST:
        yield _MORE.say(lang, count=len(unread) - _MOST)
    for student in book.roster.students:
        chosen = student.chosen()
        if chosen and not chosen.problem and student.attempts[-1].problem:
            yield typeset(_EARLIER.say(lang, name=student.key, place=chosen.place), lang)
    if seen.waiting:
        questions = ", ".join(f"{name} ({count})" for name, count in seen.waiting.most_common(_MOST))
        yield typeset(_WAITING.say(lang, count=seen.waiting.total(), questions=questions), lang)
    for why, who in sorted(seen.why.items(), key=lambda one: -len(one[1])):
        yield typeset(
            _WHY.say(lang, count=len(who), why=causes.said(why, lang), who=_listed(who, lang)), lang
        )
    if book.roster.left_out:
        yield typeset(_LEFT_OUT.say(lang, what=_listed(book.roster.left_out, lang)), lang)
    if book.policy.deadline:
        clocks = Counter(one.clock for student in book.roster.students if (one := student.chosen()))
        yield from (_CLOCKS[clock].say(lang) for clock, _ in clocks.most_common())


def _listed(names: Iterable[str], lang: Lang) -> str:
    every = [one_line(one, limit=120) for one in names]
    rest = [_MORE.say(lang, count=len(every) - _MOST)] if len(every) > _MOST else []
    return ", ".join([*every[:_MOST], *rest])


def _column(text: str, width: int) -> str:
    """Return text cut or filled to so many columns of a terminal, in which wide letters take two."""
    shown, taken = "", 0
    safe = one_line(text, limit=200)
    total = sum(map(_columns, safe))
    for letter in safe:
        if total > width and taken + _columns(letter) > width - 1:
            shown, taken = f"{shown}…", taken + 1
            break
        shown, taken = shown + letter, taken + _columns(letter)
    return shown + " " * (width - taken)


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
