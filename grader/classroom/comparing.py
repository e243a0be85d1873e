"""What is seen only between attempts and between students: the same archive, the same key, another name.

Nothing of it costs a point or accuses anybody: it is a reason why an attempt is not verified.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from grader.classroom.roster import Attempt, Student

SAME_ARCHIVE = "the same archive was handed in by another student too"
SAME_KEY = "its key also signed what another student handed in"
OTHER_KEY = "signed with another key than an earlier attempt"
OTHER_NAME = "signed under a name that is not this student's"


def compared(students: Sequence[Student]) -> tuple[Student, ...]:
    """Return the students with what comparing their attempts says beside what each says of itself."""
    archives: dict[str, set[str]] = {}
    keys: dict[str, set[str]] = {}
    for student in students:
        for one in student.attempts:
            for mark in _marks(one):
                archives.setdefault(mark, set()).add(student.folder)
            if one.signer:
                keys.setdefault(one.signer, set()).add(student.folder)
    shared = {mark for mark, folders in archives.items() if len(folders) > 1}
    lent = {key for key, folders in keys.items() if len(folders) > 1}
    return tuple(_student(one, shared, lent) for one in students)


def alphabetical(name: str) -> str:
    """Return what a name is sorted and compared by: É stands with E."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(one for one in letters if not unicodedata.combining(one))


def _student(student: Student, shared: set[str], lent: set[str]) -> Student:
    attempts = []
    for number, one in enumerate(student.attempts):
        earlier = {before.signer for before in student.attempts[:number]} - {""}
        reasons = [
            one.why,
            SAME_ARCHIVE if shared & _marks(one) else "",
            SAME_KEY if one.signer in lent else "",
            OTHER_KEY if one.signer and earlier and one.signer not in earlier else "",
            OTHER_NAME if student.id and one.signed_by and _strangers(student.name, one.signed_by) else "",
        ]
        why = "; ".join(reason for reason in reasons if reason)
        attempts.append(one.model_copy(update={"why": why, "verified": not why}))
    return student.model_copy(update={"attempts": tuple(attempts)})


def _marks(one: Attempt) -> set[str]:
    """Return what two equal archives have in common; what could not be read is equal to nothing."""
    return {one.sha256, one.receipt or one.sha256} if one.kept and one.problem is None else set()


def _strangers(name: str, other: str) -> bool:
    """Return whether two names have no word in common."""
    words, others = (set(re.findall(r"\w+", alphabetical(one))) for one in (name, other))
    return not words & others
