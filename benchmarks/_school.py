"""A class for ``benchmark classroom``: its pupils, what is known of each, and what makes their archives."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks._classes import STARTED, folder_files, packed, signed
from grader.lab.lab import Lab
from grader.submission.samples import Sample, samples
from grader.submission.translation import translate

DEADLINE = STARTED + timedelta(days=1)
LATE = "10 % per day, at most 50 %, grace 15 min"
Files = dict[str, bytes]


@dataclass(frozen=True)
class Known:
    """What must come out: questions lost and left to the teacher, what lateness takes, what is said.

    ``unverified`` and ``hint`` are parts of what is said; an empty ``unverified`` means verified. With
    ``nothing`` no question earns a point, and none may be an error.
    """

    loses: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    nothing: bool = False
    percent: float = 0.0
    unverified: str = ""
    # What is said to the student, in the language of the answers, or of the lab.
    hint: str = ""


@dataclass(frozen=True)
class Pupil:
    """One student of the class: members below the student's own folder, each with a time."""

    name: str
    kind: str
    known: Known
    members: tuple[tuple[str, datetime, bytes], ...] = ()


@dataclass
class School:
    """Makes pupils of every kind, one after the other."""

    lab: Lab
    other: Lab
    scratch: Path
    # The archive of the student before, for who copies.
    neighbour: dict[str, bytes] = field(default_factory=dict)

    def files(self, name: str, sample: Sample, lab: Lab | None = None) -> Files:
        """Return a sample as this student would hand it in, without a signature."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            return folder_files(translate(lab or self.lab, sample, name, Path(folder)))

    def solution(self, name: str) -> Files:
        """Return the solution in this student's variant."""
        return self.files(name, samples(self.lab)[0])

    def archive(self, name: str, files: Mapping[str, bytes], number: int = 1) -> bytes:
        """Return the archive that ``tdlab submit`` makes of files."""
        return packed(signed(self.lab.slug, name, files, number=number))

    def pupil(
        self, name: str, kind: str, known: Known, *archives: bytes, late: timedelta | None = None
    ) -> Pupil:
        """Return a pupil who handed archives in, the last so long after the deadline, or an hour before."""
        last = DEADLINE + (late if late is not None else -timedelta(hours=1))
        times = [last - timedelta(minutes=10) * back for back in range(len(archives))][::-1]
        members = tuple(
            (f"{self.lab.slug}-{name.casefold().replace(' ', '-')}-{number}.zip", time, raw)
            for number, (time, raw) in enumerate(zip(times, archives, strict=True), 1)
        )
        return Pupil(name, kind, known, members)


Maker = Callable[[School, str], Pupil]
