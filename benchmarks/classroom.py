"""A whole class by one command: good, wrong, hostile, broken, late and copied submissions, each as expected.

Each student's result is known by how the submission was made; ``tdlab grade`` must give exactly that. The
exit status is 1 where one of them deviates.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks import _measured, _pupils, _report
from benchmarks._classes import STARTED, written
from benchmarks._school import DEADLINE, LATE, Known, Pupil, School
from domains.errors import UsageError
from domains.paths import LABS
from grader.classroom import comparing
from grader.classroom.markbook import Markbook, open_markbook
from grader.lab import lab as labs
from grader.results.result import Outcome, SubmissionGrade
from grader.results.score import lost

_LAB, _OTHER = LABS / "r202", LABS / "first-vm"


def main(words: list[str]) -> int:
    """Make and grade ``--students N`` (200) submissions; say for each kind how many are as expected."""
    match words:
        case []:
            count = 200
        case ["--students", number] if number.isdecimal():
            count = int(number)
        case _:
            raise UsageError(f"not understood: {' '.join(words)}", remedy="write --students 200")
    with tempfile.TemporaryDirectory(prefix="tdlab-benchmark-") as scratch:
        folder = Path(scratch)
        pupils = _made(count, folder)
        source = written(folder / "class.zip", list(_members(pupils)))
        words = ["grade", str(_LAB), str(source), "--into", str(folder / "book"), "--jobs", "2"]
        words += ["--deadline", DEADLINE.isoformat(), "--late", LATE]
        took = _measured.run(words)
        deviations = _compared(pupils, open_markbook(folder / "book"))
    kinds = Counter(one.kind for one in pupils)
    bad = Counter(kind for kind, _ in deviations)
    for kind, number in sorted(kinds.items()):
        print(f"{kind:32} {number - bad[kind]} of {number} as expected", file=sys.stderr)
    for kind, said in deviations:
        print(f"NOT AS EXPECTED, {kind}: {said}", file=sys.stderr)
    print(f"{'all':32} {count - len(deviations)} of {count}, in {took.wall:.1f} s", file=sys.stderr)
    figures = {
        "students": count,
        "as_expected": count - len(deviations),
        "kinds": {kind: {"students": kinds[kind], "as_expected": kinds[kind] - bad[kind]} for kind in kinds},
        "deviations": [f"{kind}: {said}" for kind, said in deviations],
        "wall_s": took.wall,
        "cpu_s": took.cpu,
    }
    _report.publish("classroom", {}, figures)
    return int(bool(deviations))


def _made(count: int, scratch: Path) -> list[Pupil]:
    school = School(labs.load(_LAB), labs.load(_OTHER), scratch)
    makers = itertools.islice(_pupils.each(), count)
    pupils = [maker(school, f"Student {number:03}") for number, maker in enumerate(makers)]
    return [_with_copies(one, pupils) for one in pupils]


def _with_copies(one: Pupil, pupils: list[Pupil]) -> Pupil:
    """Expect of whoever's archive was copied what is expected of the copy: nobody can tell them apart."""
    copies = {raw for other in pupils if other.kind == "a neighbour's archive" for _, _, raw in other.members}
    if one.kind != "good" or not any(raw in copies for _, _, raw in one.members):
        return one
    return Pupil(one.name, one.kind, Known(unverified=comparing.SAME_ARCHIVE), one.members)


def _members(pupils: list[Pupil]) -> Iterator[tuple[str, object, bytes]]:
    """Yield the members of Moodle's download."""
    for number, one in enumerate(pupils):
        folder = f"{one.name}_{1000 + number}_assignsubmission_file_/"
        yield folder, STARTED, b""
        for name, time, raw in one.members:
            yield folder + name, time, raw


def _compared(pupils: list[Pupil], book: Markbook) -> list[tuple[str, str]]:
    found = {one.student: one for one in book.grade().submissions}
    deviations = []
    for one in pupils:
        graded = found.pop(one.name, None)
        wrong = "not graded at all" if graded is None else "; ".join(_deviations(one.known, graded))
        if wrong:
            deviations.append((one.kind, f"{one.name}: {wrong}"))
    return deviations + [("nobody", name) for name in found]


def _deviations(known: Known, graded: SubmissionGrade) -> Iterator[str]:
    outcomes = {one.id: one.outcome for one in graded.questions}
    if broken := [one for one, outcome in outcomes.items() if outcome is Outcome.ERROR]:
        yield f"errors in {', '.join(broken)}: {next(o.hint for o in graded.questions if o.id == broken[0])}"
    review = tuple(sorted(one for one, outcome in outcomes.items() if outcome is Outcome.INCONCLUSIVE))
    if review != tuple(sorted(known.review)):
        yield f"to review {review}, expected {known.review}"
    if known.nothing:
        if graded.score or outcomes.keys() & {one.id for one in graded.questions if one.points}:
            yield f"earned {graded.score} points, expected none"
    elif (loses := tuple(sorted(lost(graded.questions)))) != tuple(sorted(known.loses)):
        yield f"lost {loses}, expected {known.loses}"
    earned = sum(one.points for one in graded.questions if one.outcome is not Outcome.INCONCLUSIVE)
    if (
        abs(graded.penalty - earned * known.percent / 100) > 1e-3
        or abs(graded.score + graded.penalty - earned) > 1e-3
    ):
        yield f"lateness took {graded.penalty} of {earned}, expected {known.percent} %"
    if known.unverified not in graded.unverified or bool(known.unverified) != bool(graded.unverified):
        yield f"unverified {graded.unverified!r}, expected {known.unverified!r}"
    if known.hint and not any(known.hint in one.hint for one in graded.questions):
        yield f"nothing says {known.hint!r}"
