"""What is said of machines on which nothing failed: what they cannot do, and what is newer on them now."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from domains import files
from grader.fleet import objects
from grader.fleet.board import Board, Row
from grader.fleet.plan import Assigned, Plan
from grader.language import Lang
from grader.language.bilingual import Bilingual, both
from grader.language.inert import one_line

_FILE = "notes.json"
# So many machines are named; of more, their number is said.
_NAMED = 12


@dataclass(frozen=True)
class Note:
    """One such lack: a stable word, and what is said of the machines that have it."""

    id: str
    says: Bilingual
    instead: Bilingual


NO_KVM = Note(
    "no-kvm",
    both("no VT-x or SVM: {names}", "ni VT-x ni SVM : {names}"),
    both(
        "guests are emulated there: slow; no exits, EPT or VFs. For these: `tdlab host up --emulated lab1`, "
        "then `tdlab bench --host lab1`, on each, or on one machine for all",
        "invités émulés : lents, sans sorties, EPT ni VF. Pour cela : `tdlab host up --emulated lab1`, "
        "puis `tdlab bench --host lab1`, sur chacune, ou sur une machine pour toutes",
    ),
)
KVM_OFF = Note(
    "kvm-off",
    both("VT-x or SVM, but no /dev/kvm: {names}", "VT-x ou SVM, mais pas de /dev/kvm : {names}"),
    both(
        "switch it on in the firmware, or `modprobe kvm_intel` (`kvm_amd`); guests are emulated until then",
        "activez-le dans le BIOS, ou `modprobe kvm_intel` (`kvm_amd`) ; d'ici là, invités émulés",
    ),
)
_UPDATED = both("newer in {name}: {files}", "plus récents dans {name} : {files}")
_UNKNOWN = both("all of it (what it was is not kept here any more)", "tout (l'ancien n'est plus gardé ici)")
_KINDS = {note.id: note for note in (NO_KVM, KVM_OFF)}


def of(row: Row) -> Note | None:
    """Return what a machine lacks by what it said when it was looked at last."""
    if "end" not in row.said:
        return None
    if "virtualisation" not in row.said:
        return NO_KVM
    return None if "kvm" in row.said else KVM_OFF


def noted(home: Path, rows: Iterable[Row]) -> None:
    """Note what machines that were looked at lack, for the next plan."""
    before = _read(home)
    found = {row.name: note.id if (note := of(row)) else "" for row in rows if "end" in row.said}
    if {**before, **found} != before:
        files.write_whole(home / _FILE, json.dumps({**before, **found}, indent=1) + "\n")


def known(home: Path) -> dict[str, Note]:
    """Return what machines lacked when they were looked at last."""
    return {name: _KINDS[note] for name, note in _read(home).items() if note in _KINDS}


def lines(lacking: Mapping[str, Note], lang: Lang) -> Iterator[str]:
    """Yield for each lack the machines that have it, and what is to be done instead."""
    for kind in _KINDS.values():
        names = [name for name, note in lacking.items() if note is kind]
        if names:
            yield kind.says.say(lang, names=_limited(names))
            yield f"  {kind.instead.say(lang)}"


def updated(row: Row, assigned: Assigned, store: Path) -> dict[str, list[str] | None]:
    """Return what a machine had in an older version, and has now: each object, and the files that are others.

    None stands for an older version that this machine has no copy of any more.
    """
    if row.cause or not row.had:
        return {}
    old = dict(line.split()[1:3] for line in row.had if re.fullmatch(r"link \S+ \S+", line))
    found = {}
    for sent in assigned.objects:
        for link in sent.links:
            before = re.search(r"trees/([\w.-]+)", old.get(link, ""))
            new = sent.wants[0].split()[1]
            if before and before[1] != new and sent.wants[0] in row.said:
                found[sent.name] = objects.differing(store, before[1], new)
    return found


def updates(board: Board, plan: Plan, lang: Lang) -> Iterator[str]:
    """Yield for each object of which machines had an older version the files that are others now."""
    found: dict[str, list[str]] = {}
    for one in plan.assigned:
        for name, files_ in updated(board.rows[one.machine.name], one, plan.store).items():
            shown = _limited(files_) if files_ else _UNKNOWN.say(lang)
            found.setdefault(_UPDATED.say(lang, name=name, files=shown), []).append(one.machine.name)
    for said, names in found.items():
        yield one_line(f"{said} ({_limited(names)})", limit=2000)


def _limited(names: list[str]) -> str:
    more = f" … (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
    return ", ".join(one_line(name) for name in names[:_NAMED]) + more


def _read(home: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((home / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found
