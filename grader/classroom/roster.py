"""The students of a class and what each handed in (schema ``tdlab.roster/1``)."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from grader.measure.run import Record

# Whose clock a time is from: the platform's, the archive's or file's date, or the student's own manifest.
Clock = Literal["gradescope", "archive", "file", "student", "none"]


class Attempt(Record):
    """One thing that was handed in; ``place`` is its path in the class that was downloaded.

    ``late`` is in seconds past the deadline. ``kept`` is where its bytes are, below the markbook's folder;
    empty when they could not be read, which is ours. ``problem`` says why nothing can be read from it.
    """

    place: str
    time: AwareDatetime | None = None
    clock: Clock = "none"
    number: int | None = None
    late: float = 0.0
    sha256: str = ""
    kept: str = ""
    receipt: str | None = None
    # Whom the manifest names, and the fingerprint of the key that signed it, as `ssh-keygen -l` prints it.
    signed_by: str = ""
    signer: str = ""
    verified: bool = False
    why: str = ""
    chosen: bool = False
    problem: str | None = None


class Student(Record):
    """One student; ``key`` names them in grades, ``id`` is the platform's number, or empty."""

    key: str
    name: str
    id: str = ""
    email: str = ""
    folder: str = ""
    attempts: tuple[Attempt, ...] = ()

    def chosen(self) -> Attempt | None:
        """Return the attempt that counts."""
        return next((one for one in self.attempts if one.chosen), None)


class Roster(Record):
    """Everybody, in the order of their keys; ``left_out`` is what in the class was taken for nobody's."""

    schema_: Literal["tdlab.roster/1"] = Field(default="tdlab.roster/1", alias="schema")
    lab: str
    students: tuple[Student, ...]
    left_out: tuple[str, ...] = ()

    def student(self, key: str) -> Student | None:
        """Return the student with this key, or None."""
        return next((one for one in self.students if one.key == key), None)
