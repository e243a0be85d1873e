"""Sort the files of a class by student, and each student's files into what was handed in at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from domains.errors import InputError, UsageError
from grader.classroom.source import gradescope, platforms
from grader.classroom.source.gradescope import GRADESCOPE_FILE
from grader.classroom.source.platforms import Who
from grader.classroom.source.tree import Entry, Tree
from grader.language.inert import one_line
from grader.submission.answers import ANSWERS_FILE
from grader.submission.sources import SUFFIXES

# Of a workspace that is handed in whole: the archives in these are no attempts of their own.
_WORKSPACE_FOLDERS = frozenset({"submissions", "evidence", "domains"})
_OF_A_WORKSPACE = _WORKSPACE_FOLDERS | {"backup", "runs"}
_OTHER_ARCHIVES = (".rar", ".7z", ".tar.xz", ".tar.bz2", ".tar.zst", ".xz", ".bz2", ".gz")
_DOT = f"its name begins with a dot, and no {ANSWERS_FILE} was found in it"


@dataclass(frozen=True)
class Piece:
    """A file of a student's, by its path below what the platform made for the student."""

    inside: str
    entry: Entry


@dataclass
class Unit:
    """All that one student, or one group, handed in; ``folder`` is its name as it was downloaded."""

    who: tuple[Who, ...]
    folder: str
    pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True)
class Handed:
    """What was handed in at once: an archive (one piece), or loose files below ``root``."""

    place: str
    pieces: tuple[Piece, ...]
    is_archive: bool
    root: str = ""
    time: datetime | None = None


def sorted_out(tree: Tree, lab: str, *, is_zip: bool) -> tuple[list[Unit], list[str]]:
    """Return the units of a class, and what is left out of it, with why.

    Raises :class:`UsageError` when it is no class but the work of one student.
    """
    entries, left_out = _sifted(tree.entries(), lab)
    around = _folder_around(entries) if is_zip else ""
    entries = [one for one in entries if one.path.startswith(around)]
    named = _metadata(tree, entries, around)
    units: dict[tuple[str, ...], Unit] = {}
    for entry in sorted(entries, key=lambda one: one.path):
        path = entry.path.removeprefix(around)
        top, _, inside = path.partition("/")
        if not path or path == GRADESCOPE_FILE:
            continue
        found = _owner(top, inside or entry.is_folder, named, lab)
        if found is None or top in {"", ".", ".."}:
            left_out.append(entry.refused or f"{one_line(path, limit=200)} is no submission")
            continue
        key, who, rest = found
        unit = units.setdefault(key, Unit(who, one_line(top, limit=200)))
        if not entry.is_folder:
            unit.pieces.append(Piece(inside or rest or top, entry))
    if any(one.path == around + ANSWERS_FILE for one in entries) and not any(map(has_work, units.values())):
        raise UsageError(
            f"this is the work of one student: {ANSWERS_FILE} stands at its top",
            remedy="name the folder in which each student has one, or leave --into out to grade this one",
        )
    for folder in sorted(named.keys() - {key[1] for key in units if key[0] == "gradescope"}):
        names = ", ".join(who.name for who in named[folder]) or "?"
        left_out.append(f"{one_line(folder, limit=80)} of {names} is named, and not there")
    return list(units.values()), left_out


def has_work(unit: Unit) -> bool:
    """Say whether a unit may be a student's, and not a folder of one student's workspace."""
    return unit.folder not in _OF_A_WORKSPACE and any(
        _roots([one]) or _is_archive(one, ()) for one in unit.pieces
    )


def _sifted(entries: Iterable[Entry], lab: str) -> tuple[list[Entry], list[str]]:
    """Return what may be somebody's work, and what is left out because of its name, with why.

    What begins with a dot is work where it holds answers, or where all else says so: a student may be called
    so, or may have called a folder so.
    """
    every = list(entries)
    holding = {above for one in every if _is_answers(one.path) for above in _above(one.path)}
    own = {one.top for one in every if platforms.own_archive(PurePosixPath(one.path).name, lab)}
    kept: list[Entry] = []
    left: dict[tuple[str, str], set[str]] = {}
    for entry in every:
        for path in (*_above(entry.path), entry.path):
            name = path.rpartition("/")[2]
            behind = platforms.left_behind_by(name)
            is_top = path == name
            is_work = path in holding or (is_top and (path in own or _is_named_as_work(name)))
            if behind or (name.startswith(".") and name not in {".", ".."} and not is_work):
                left.setdefault((name, f"left behind by {behind}" if behind else _DOT), set()).add(path)
                break
        else:
            kept.append(entry)
    return kept, [_told(name, why, paths) for (name, why), paths in left.items()]


def _is_answers(path: str) -> bool:
    return path.rpartition("/")[2] == ANSWERS_FILE


def _above(path: str) -> Iterator[str]:
    """Yield the folders that a path is in, outermost first."""
    steps = path.split("/")
    yield from ("/".join(steps[:count]) for count in range(1, len(steps)))


def _is_named_as_work(name: str) -> bool:
    return platforms.moodle(name) is not None or name.lower().endswith(SUFFIXES)


def _told(name: str, why: str, paths: set[str]) -> str:
    where = one_line(next(iter(paths)) if len(paths) == 1 else name, limit=200)
    return f"{where} ({why})" if len(paths) == 1 else f"{where} ({len(paths)} times; {why})"


def _owner(
    top: str, is_folder: object, named: Mapping[str, tuple[Who, ...]], lab: str
) -> tuple[tuple[str, ...], tuple[Who, ...], str] | None:
    """Return the key of a unit, whose it is, and the name of its file; None when it is nobody's."""
    if people := named.get(top):
        return ("gradescope", top), people, ""
    if who := platforms.moodle(top):
        return ("moodle", who.id, who.name), (who,), top.rpartition("_assignsubmission_")[2].partition("_")[2]
    shown = one_line(top, limit=200)
    if is_folder:
        return ("folder", top), (Who(shown),), ""
    if top.lower().endswith((*SUFFIXES, *_OTHER_ARCHIVES)):
        own = platforms.own_archive(top, lab)
        if own:
            return ("ours", own), (Who(one_line(own, limit=200)),), top
        return ("file", top), (Who(one_line(platforms.without_suffix(top), limit=200)),), top
    return None


def _metadata(tree: Tree, entries: Iterable[Entry], around: str) -> Mapping[str, tuple[Who, ...]]:
    """Return who is behind each folder of a Gradescope export; nothing when it is none.

    Raises :class:`UsageError` when it is one and its names cannot be read: folders of numbers are nobody.
    """
    listed = next((one for one in entries if one.path == around + GRADESCOPE_FILE), None)
    if listed is None:
        return {}
    raw, why = tree.read(listed)
    try:
        if raw is None:
            raise UsageError(f"{GRADESCOPE_FILE}: {why}")
        return gradescope.read(raw)
    except InputError as bad:
        remedy = "download the export again, or remove the file to name students by their folders"
        raise UsageError(f"the names of the Gradescope export cannot be read: {bad}", remedy=remedy) from bad


def handed_in(unit: Unit) -> Iterator[Handed]:
    """Yield what a student handed in: each archive, or the loose files, or nothing but the fact."""
    roots = _roots(unit.pieces)
    archives = [one for one in unit.pieces if _is_archive(one, roots)]
    for root in roots or ([] if archives else [""]):
        under = tuple(one for one in unit.pieces if one.inside.startswith(root) and one not in archives)
        times = [one.entry.time for one in under if one.entry.time]
        place = f"{unit.folder}/{one_line(root, limit=200)}".rstrip("/") if len(roots) > 1 else unit.folder
        yield Handed(place, under, False, root, max(times, default=None))
    for one in archives:
        yield Handed(one_line(one.entry.path, limit=400), (one,), True, "", one.entry.time)


def _folder_around(entries: Iterable[Entry]) -> str:
    """Return the one folder that a whole class stands in, with its slash, or nothing.

    A folder that is a student's own is not looked through.
    """
    paths = [one.path for one in entries]
    tops = {path.partition("/")[0] for path in paths}
    if len(tops) != 1:
        return ""
    (top,) = tops
    inner = [path[len(top) + 1 :] for path in paths if path.startswith(f"{top}/")]
    names = {path.partition("/")[0] for path in inner}
    if not inner or platforms.moodle(top):
        return ""
    if GRADESCOPE_FILE in names:
        return f"{top}/"
    if ANSWERS_FILE in names or names & _WORKSPACE_FOLDERS:
        return ""
    direct = [path for path in inner if "/" not in path and not _has_inside(path, inner)]
    return f"{top}/" if all(path.lower().endswith(SUFFIXES) for path in direct) else ""


def _has_inside(folder: str, paths: Iterable[str]) -> bool:
    return any(path.startswith(f"{folder}/") for path in paths)


def _roots(pieces: Iterable[Piece]) -> list[str]:
    """Return the folders (with their slashes) in which answers stand, the outermost: two are two attempts."""
    found = [one.inside for one in pieces if PurePosixPath(one.inside).name == ANSWERS_FILE]
    outermost = min((path.count("/") for path in found), default=0)
    return sorted(path.removesuffix(ANSWERS_FILE) for path in found if path.count("/") == outermost)


def _is_archive(piece: Piece, roots: Iterable[str]) -> bool:
    if not piece.inside.lower().endswith((*SUFFIXES, *_OTHER_ARCHIVES)):
        return False
    root = next((one for one in roots if piece.inside.startswith(one)), None)
    if root is None:
        return True
    return piece.inside.removeprefix(root).partition("/")[0] not in _WORKSPACE_FOLDERS
