"""What deploying says: the plan, a live table on a terminal, and who is not done, why, and what mends it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from grader.fleet import causes, notes
from grader.fleet.board import Board, Row
from grader.fleet.objects import Sent
from grader.fleet.plan import Assigned, Plan, known_hosts
from grader.language import Lang
from grader.language.bilingual import both
from grader.language.inert import one_line

SCHEMA = "tdlab.room/1"
_MIB = 2**20
# What a room's link carries, where nothing is known of it: 100 Mbit/s, shared by all machines.
_LINK = 12 * _MIB
# What a machine's tasks take beside sending, as measured on two cores: a first deploy and forks at once.
_TASKS_SECONDS = 20

STATES = {
    "waiting": both("waiting", "en attente"),
    "running": both("at work", "en cours"),
    "done": both("done", "fait"),
    "unchanged": both("nothing to do", "rien à faire"),
    "failed": both("NOT done", "PAS fait"),
}
PHASES = {
    "look": both("looking", "examen"),
    "host": both("lab host", "hôte de TD"),
    "files": both("files", "fichiers"),
    "seat": both("workspace", "espace de travail"),
    "check": both("checking", "vérification"),
}
_HEAD = both(
    "{lab}: {machines} machines, {students} students; {mib} MiB to each that has nothing, {total} MiB in all",
    "{lab} : {machines} machines, {students} étudiants ; {mib} Mio à qui n'a rien, {total} Mio en tout",
)
_TIME = both(
    "about {time} at {forks} at once, if the link carries 100 Mbit/s",
    "environ {time}, {forks} à la fois, si le lien porte 100 Mbit/s",
)
_LAB_HOST = both("made a lab host where it is none", "rendue hôte de TD si elle ne l'est pas")
_BUILT_FIRST = both(
    "guest image: to be built here first, about {mib:.0f} MiB",
    "image des invités : à construire ici d'abord, environ {mib:.0f} Mio",
)
_FETCHED_FIRST = both(
    "packages for Python {version}: to be fetched here first, about {mib:.0f} MiB",
    "paquets pour Python {version} : à télécharger ici d'abord, environ {mib:.0f} Mio",
)
_GUESSED = both(
    "sizes with ~ are estimates therefore; the time counts only what comes afterwards",
    "les tailles avec ~ sont donc des estimations ; la durée ne compte que ce qui suit",
)
_SUMMARY = both(
    "{done} done, {unchanged} with nothing to do, {failed} not done, in {seconds:.0f} s",
    "{done} faites, {unchanged} sans rien à faire, {failed} pas faites, en {seconds:.0f} s",
)
PAIR = both("{what}: {said}", "{what} : {said}")
MEND = both("mend it: {mend}", "remède : {mend}")
_MIB_WORD = both("MiB", "Mio")
_RERUN = both(
    "then the same command again: it does only what is left",
    "puis la même commande : elle ne fait que ce qui reste",
)
_LOG = both("log: {log}", "journal : {log}")
# A host that tdlab made is down then.
_DOWN = (causes.OFF, causes.NO_SSHD, causes.NO_NAME, causes.HUNG)

UNVERIFIED = both("unverified: {why}", "non vérifié : {why}")
OTHER_ARCHIVE = both(
    "{file} is another archive than {before}, which was collected before; both are kept",
    "{file} est une autre archive que {before}, déjà collectée ; les deux sont gardées",
)
NOTHING_FROM = both("nothing from: {names}", "rien de : {names}")
COLLECTED = both(
    "{archives} archives of {students} students are in {folder}",
    "{archives} archives de {students} étudiants sont dans {folder}",
)
GRADE_NOW = both(
    "grade them: tdlab grade {lab} {folder} --into {lab}-marks",
    "notez-les : tdlab grade {lab} {folder} --into {lab}-marks",
)


def plan_lines(plan: Plan, forks: int, lang: Lang) -> Iterator[str]:
    """Yield the plan: in all, then each machine."""
    total = sum(one.bytes for one in plan.assigned)
    largest = max(one.bytes for one in plan.assigned)
    guessed = _guessed(plan)
    about = "~" if guessed else ""
    head = _HEAD.say(
        lang,
        lab=plan.lab.slug,
        machines=len(plan.assigned),
        students=sum(len(one.seats) for one in plan.assigned),
        mib=about + _mib(largest),
        total=about + _mib(total),
    )
    yield head
    yield from _first(guessed, lang)
    yield _TIME.say(lang, time=_duration(estimate(plan, forks)), forks=forks)
    width = max(len(one.machine.name) for one in plan.assigned)
    for one in plan.assigned:
        names = ", ".join(student.student for student in one.seats) or "-"
        shown = one_line(names)
        size = f"{about + _mib(one.bytes):>5} {_MIB_WORD.say(lang)}"
        yield f"  {one_line(one.machine.name):<{width}}  {size}  {shown}"
    yield from notes.lines(_lacking(plan), lang)


def _guessed(plan: Plan) -> list[Sent]:
    """Return what is still to be made here; all machines get the same of it."""
    return [sent for sent in plan.assigned[0].objects if sent.is_guessed]


def _first(guessed: Sequence[Sent], lang: Lang) -> Iterator[str]:
    for sent in guessed:
        version = sent.name.removeprefix("python-")
        said = _BUILT_FIRST if version == sent.name else _FETCHED_FIRST
        yield said.say(lang, mib=sent.bytes / _MIB, version=version)
    if guessed:
        yield _GUESSED.say(lang)


def _lacking(plan: Plan) -> dict[str, notes.Note]:
    """Return what the machines of a plan lacked when they were looked at last."""
    known = notes.known(plan.home)
    return {one.machine.name: known[one.machine.name] for one in plan.assigned if one.machine.name in known}


def estimate(plan: Plan, forks: int) -> float:
    """Return roughly how many seconds a first deploy takes."""
    rounds = -(-len(plan.assigned) // max(1, forks))
    return sum(one.bytes for one in plan.assigned) / _LINK + rounds * _TASKS_SECONDS


def plan_document(plan: Plan, forks: int) -> dict[str, Any]:
    """Return what ``--dry-run --json`` prints."""
    lacking, guessed = _lacking(plan), _guessed(plan)
    return {
        "schema": "tdlab.plan/1",
        "lab": plan.lab.slug,
        "seconds": round(estimate(plan, forks)),
        "bytes": sum(one.bytes for one in plan.assigned),
        # What is still to be made here: all numbers that it is part of are estimates.
        "estimated": bool(guessed),
        "to_be_made": [{"object": sent.name, "bytes": sent.bytes} for sent in guessed],
        "hosts": [
            {
                "host": one.machine.name,
                "students": list(one.machine.students),
                "bytes": one.bytes,
                "objects": [sent.file for sent in one.objects if not sent.is_guessed],
                "notes": [lacking[one.machine.name].id] if one.machine.name in lacking else [],
            }
            for one in plan.assigned
        ],
    }


def at(row: Row, lang: Lang) -> str:
    """Return where a machine is."""
    return PHASES[row.phase].say(lang) if row.phase in PHASES else STATES[row.state].say(lang)


def summary(board: Board, plan: Plan, seconds: float, log: Path, lang: Lang) -> Iterator[str]:
    """Yield how it went, then each machine that is not done with its cause and what mends it."""
    rows = list(board.rows.values())
    counts = {state: sum(row.state == state for row in rows) for state in ("done", "unchanged", "failed")}
    yield _SUMMARY.say(lang, seconds=seconds, **counts)
    by_name = {one.machine.name: one for one in plan.assigned}
    for row in rows:
        if row.cause:
            yield "  " + one_line(PAIR.say(lang, what=row.name, said=row.cause.told(lang)))
            yield "    " + one_line(MEND.say(lang, mend=mend(row, by_name[row.name], lang)))
    yield from notes.updates(board, plan, lang)
    yield from notes.lines({row.name: note for row in rows if (note := notes.of(row))}, lang)
    if counts["failed"]:
        yield _RERUN.say(lang)
    yield _LOG.say(lang, log=log)


def mend(row: Row, assigned: Assigned, lang: Lang) -> str:
    """Return the command that mends what stopped a machine."""
    if row.cause is None:
        return ""
    variables = assigned.machine.variables
    address = str(variables.get("ansible_host", assigned.machine.name))
    port = variables.get("ansible_port", 22)
    if assigned.machine.own and row.cause.kind in _DOWN:
        return f"tdlab host up --emulated {assigned.machine.name}"
    said = row.cause.kind.mend.say(
        lang,
        address=address,
        login=assigned.login,
        port=port,
        known=address if port == 22 else f"[{address}]:{port}",
        known_hosts=known_hosts(),
    )
    if assigned.machine.own:
        return said.replace(f"ssh {assigned.login}@{address} -p {port}", f"tdlab host ssh {address} --")
    return said


def row_document(row: Row, assigned: Assigned, now: float) -> dict[str, Any]:
    """Return one machine as ``--json`` prints it."""
    return {
        "host": row.name,
        "students": list(row.students),
        "state": row.state,
        "phase": row.phase or None,
        "seconds": round(row.seconds(now), 1),
        "changed": row.changed,
        "cause": row.cause.kind.id if row.cause else None,
        "detail": row.cause.detail if row.cause else None,
        "mend": mend(row, assigned, "en") or None,
        "notes": [note.id] if (note := notes.of(row)) else [],
    }


def document(board: Board, plan: Plan, seconds: float, log: Path) -> dict[str, Any]:
    """Return what ``--json`` prints in the end."""
    by_name = {one.machine.name: one for one in plan.assigned}
    rows = board.rows.values()
    return {
        "schema": SCHEMA,
        "lab": plan.lab.slug,
        "seconds": round(seconds, 1),
        "log": str(log),
        "hosts": [
            {
                **row_document(row, by_name[row.name], time.monotonic()),
                "updated": notes.updated(row, by_name[row.name], plan.store),
            }
            for row in rows
        ],
    }


def _mib(size: int) -> str:
    return f"{size / _MIB:.1f}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
