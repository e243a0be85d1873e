"""The workspace: whose it is and of which lab, written once and never changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domains import files
from domains.errors import UsageError
from domains.paths import LABS
from grader.lab import lab as labs
from grader.lab import variants
from grader.lab.lab import Lab
from grader.lab.questions import file_of
from grader.language import Lang
from grader.submission import history, submission
from grader.submission import identity as identities
from grader.submission.answers import ANSWERS_FILE
from grader.submission.identity import WORKSPACE_FILE, Identity
from grader.submission.submission import Submission
from grader.workspace import answer_file, sayings

# Where a lab is that does not ship with tdlab; of this machine, and never handed in.
_LAB_NOTE = ".lab"


@dataclass(frozen=True)
class Workspace:
    """A student's folder; ``lab`` is in this student's variant, ``written`` as its author wrote it."""

    folder: Path
    identity: Identity
    lab: Lab
    written: Lab

    def submission(self) -> Submission:
        """Read what a grader would read if it were handed in now."""
        return submission.load(self.written, self.folder, self.identity.student)


def start(
    lab: Lab, student: str, lang: Lang, folder: Path, *, now: datetime | None = None
) -> tuple[Workspace, bool]:
    """Make a workspace, or find the one that is there; say whether it is new.

    What a student wrote is never written over: what is missing of a workspace is added, and nothing else
    changes. Raises :class:`UsageError` when the folder is another lab's or another student's.
    """
    file = folder / WORKSPACE_FILE
    if is_new := not file.exists():
        # What a killed start left of this very file is ours.
        if folder.exists() and not all(files.is_leftover(one, of=file.name) for one in folder.iterdir()):
            raise UsageError(f"{folder} is not empty", remedy="name another folder with --into")
        folder.mkdir(parents=True, exist_ok=True)
        files.write_whole(file, identities.text(lab.slug, student, lang, now))
    identity = read(folder)
    for what, asked, found in (("lab", lab.slug, identity.lab), ("student", student, identity.student)):
        if asked != found:
            raise UsageError(f"{folder} is a workspace of the {what} {found}, not of {asked}")
    if lab.folder != (LABS / lab.slug).resolve():
        files.write_whole(folder / _LAB_NOTE, f"{lab.folder}\n")
    mine = variants.drawn(lab, identity.student)
    asked_for = {(folder / inside).parent for one in mine if (inside := file_of(one))}
    for place in sorted({folder / "evidence", *asked_for}):
        place.mkdir(parents=True, exist_ok=True)
    if not (folder / ANSWERS_FILE).exists():
        files.write_whole(folder / ANSWERS_FILE, answer_file.text(mine, student, lang))
    return Workspace(folder, identity, mine, lab), is_new


def find(folder: Path) -> Workspace:
    """Return the workspace that a folder is, or is inside of; raises :class:`UsageError` if there is none."""
    if place := around(folder):
        return place
    raise UsageError(f"{folder} is in no workspace", remedy="make one with `tdlab start LAB`, or go into it")


def around(folder: Path) -> Workspace | None:
    """Return the workspace that a folder is, or is inside of, or None."""
    for place in (folder.resolve(), *folder.resolve().parents):
        if (place / WORKSPACE_FILE).is_file():
            identity = read(place)
            lab = labs.load(_lab_folder(place, identity.lab))
            return Workspace(place, identity, variants.drawn(lab, identity.student), lab)
    return None


def is_closed(place: Workspace) -> bool:
    """Say whether a workspace was finished, and not opened again since."""
    states = [one.what for one in history.events(place.folder) if one.what in {"finished", "reopened"}]
    return states[-1:] == ["finished"]


def require_open(place: Workspace) -> None:
    """Raise :class:`UsageError` when a workspace is finished: what was handed in is to stay as it is."""
    if is_closed(place):
        said = sayings.IS_FINISHED.say(place.identity.lang, lab=place.lab.slug, folder=place.folder)
        raise UsageError(said)


def read(folder: Path) -> Identity:
    """Return whose a workspace is; raises :class:`domains.errors.InputError` with the position."""
    file = folder / WORKSPACE_FILE
    return identities.parse(file.read_bytes(), file)


def _lab_folder(place: Path, slug: str) -> Path:
    """Return where a workspace's lab is; one that does not ship with tdlab was noted when it was started."""
    noted = place / _LAB_NOTE
    return Path(noted.read_text(encoding="utf-8").strip()) if noted.is_file() else labs.find(slug)
