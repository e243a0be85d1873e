"""A room at a glance: each machine, what it has of the lab, and how far its students are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from domains import files
from grader.fleet import notes, students, telling
from grader.fleet.board import Board, Row
from grader.fleet.plan import Assigned, Plan
from grader.language import Lang
from grader.language.bilingual import Bilingual, both
from grader.language.inert import one_line

SCHEMA = "tdlab.room-state/1"
_TEMPLATES = Path(__file__).resolve().parent / "templates"

_UNREACHED = both("not reached", "pas jointe")
_NOTHING = both("nothing deployed", "rien de déployé")
_BEGUN = both("begun", "commencé")
_READY = both("not begun", "pas commencé")
_HANDED_IN = both("handed in ({count})", "rendu ({count})")
_NO_PLACE = both("no workspace", "pas d'espace de travail")
_WORDS = {
    "title": both("{lab}: the room", "{lab} : la salle"),
    "counts": both(
        "{machines} machines, {reached} reached; {students} students: {begun} begun, {handed_in} handed in",
        "{machines} machines, {reached} jointes ; {students} étudiants : {begun} en cours, {handed_in} rendu",
    ),
    "machine": both("Machine", "Machine"),
    "student": both("Student", "Étudiant"),
    "state": both("State", "État"),
    "written": both("Last written", "Écrit le"),
    "evidence": both("Evidence", "Preuves"),
    "mend": both("mend it:", "remède :"),
    "at": both("Looked at {time}.", "Vu à {time}."),
    "again": both(
        "This page reloads itself every {seconds} s.", "Cette page se recharge toutes les {seconds} s."
    ),
}


@dataclass(frozen=True)
class Line:
    """One student at one machine, or a machine without any; ``tone`` is good, wait, bad or none."""

    host: str
    student: str
    state: str
    tone: str
    written: str = ""
    evidence: int = 0
    mend: str = ""


def lines_of(board: Board, plan: Plan, lang: Lang) -> Iterator[Line]:
    """Yield a line for each student, in the inventory's order."""
    for one in plan.assigned:
        row = board.rows[one.machine.name]
        if row.cause:
            names = ", ".join(one.machine.students)
            state = telling.PAIR.say(lang, what=_UNREACHED.say(lang), said=row.cause.told(lang))
            yield Line(row.name, names, state, "bad", mend=telling.mend(row, one, lang))
        elif not one.seats:
            state = "" if "folder" in row.said else _NOTHING.say(lang)
            yield Line(row.name, "", state, "good" if "folder" in row.said else "wait")
        else:
            yield from _seats(row, one, lang)


def _seats(row: Row, one: Assigned, lang: Lang) -> Iterator[Line]:
    for seat in one.seats:
        seen = students.seen(row, seat.slug)
        said, tone = _state(seen, "folder" in row.said)
        state = said.say(lang, count=seen.archives)
        yield Line(row.name, seat.student, state, tone, _clock(seen.written), seen.evidence)


def _clock(seconds: int) -> str:
    """Return a machine's time as a clock shows it, or nothing where no clock could."""
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M") if seconds else ""
    except (ValueError, OverflowError, OSError):
        return ""


def _state(seen: students.Seen, deployed: bool) -> tuple[Bilingual, str]:
    if seen.archives:
        return _HANDED_IN, "good"
    if seen.has_workspace:
        return (_READY, "wait") if seen.untouched else (_BEGUN, "going")
    return (_NO_PLACE if deployed else _NOTHING), "wait"


def lines(board: Board, plan: Plan, lang: Lang) -> Iterator[str]:
    """Yield what a terminal shows."""
    found = list(lines_of(board, plan, lang))
    yield _counts(board, plan, lang)
    yield from _notes(board, lang)
    wide, name = (max((len(one_line(text)) for text in column), default=0) for column in _columns(found))
    for one in found:
        told = f"  {one_line(one.host):<{wide}}  {one_line(one.student):<{name}}  {one.state}  {one.written}"
        yield one_line(told) if len(told) > 400 else told.rstrip()
        if one.mend:
            yield f"  {'':<{wide}}  {one_line(telling.MEND.say(lang, mend=one.mend))}"


def _notes(board: Board, lang: Lang) -> Iterator[str]:
    yield from notes.lines({row.name: note for row in board.rows.values() if (note := notes.of(row))}, lang)


def _columns(found: list[Line]) -> tuple[list[str], list[str]]:
    return [one.host for one in found], [one.student for one in found]


def _counts(board: Board, plan: Plan, lang: Lang) -> str:
    seen = [
        students.seen(board.rows[one.machine.name], seat.slug) for one in plan.assigned for seat in one.seats
    ]
    return _WORDS["counts"].say(
        lang,
        machines=len(board.rows),
        reached=sum(row.cause is None for row in board.rows.values()),
        students=len(seen),
        begun=sum(one.has_workspace and not one.untouched for one in seen),
        handed_in=sum(one.archives > 0 for one in seen),
    )


def document(board: Board, plan: Plan) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    now = time.monotonic()
    return {
        "schema": SCHEMA,
        "lab": plan.lab.slug,
        "hosts": [
            {
                **telling.row_document(board.rows[one.machine.name], one, now),
                "deployed": "folder" in board.rows[one.machine.name].said,
                "virtualisation": "virtualisation" in board.rows[one.machine.name].said,
                "seats": [
                    {
                        "student": seat.student,
                        **students.seen(board.rows[one.machine.name], seat.slug).as_json(),
                    }
                    for seat in one.seats
                ],
            }
            for one in plan.assigned
        ],
    }


def write(file: Path, board: Board, plan: Plan, every: int | None, lang: Lang) -> None:
    """Write the page; with ``every``, it reloads itself after so many seconds."""
    from grader import look
    from grader.look import templates

    style = look.style_of(_TEMPLATES / "room.css")
    told = {name: text.say(lang) for name, text in _WORDS.items() if "{" not in text.en}
    page = templates.environment(_TEMPLATES).get_template("room.html.j2")
    text = page.render(
        lang=lang,
        style=style,
        style_hash=look.style_hash(style),
        every=every,
        title=_WORDS["title"].say(lang, lab=plan.lab.slug),
        counts=_counts(board, plan, lang),
        notes=list(_notes(board, lang)),
        at=_WORDS["at"].say(lang, time=datetime.now().astimezone().strftime("%H:%M:%S")),
        again=_WORDS["again"].say(lang, seconds=every) if every else "",
        lines=list(lines_of(board, plan, lang)),
        words=told,
    )
    files.write_whole(file.resolve(), text)
