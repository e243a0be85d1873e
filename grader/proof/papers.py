"""A lab's samples as students would hand them in, with evidence that shows all that any variant asks for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.lab import variants
from grader.lab.lab import Lab
from grader.proof import filling
from grader.submission import samples, submission, translation
from grader.submission.samples import Sample
from grader.submission.submission import Submission

Letters = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Paper:
    """A sample as one student hands it in; ``lab`` is in the student's variant.

    ``letters`` are the student's by the author's, for each choice.
    """

    lab: Lab
    letters: Letters
    folder: Path
    submission: Submission

    def raw(self, name: str) -> bytes | None:
        """Return a file as it was handed in, or None."""
        file = self.folder / name
        return file.read_bytes() if file.is_file() else None


def masters(lab: Lab, students: Sequence[str], into: Path) -> tuple[list[Sample], tuple[str, ...]]:
    """Copy the samples, the solution first, and fill in their evidence; also return what was filled in.

    The copies are still in the author's variant. Raises what reading samples raises.
    """
    found = samples.samples(lab)
    asked = [lab, *(variants.drawn(lab, student) for student in students)]
    run, filled = filling.complete(asked, found[0].folder)
    if run is None:
        copies = [Path(shutil.copytree(one.folder, into / one.folder.name)) for one in found]
    else:
        copies = samples.materialise(lab, run, into)
    return [Sample(copy, one.loses) for one, copy in zip(found, copies, strict=True)], filled


def handed_in(lab: Lab, master: Sample, student: str, into: Path) -> Paper:
    """Write a sample as a student's submission into a folder, and read it as a grader does."""
    translation.translate(lab, master, student, into)
    known = {one.id: variants.letters(lab, one, student) for one in lab}
    return Paper(variants.drawn(lab, student), known, into, submission.load(lab, into, student))
