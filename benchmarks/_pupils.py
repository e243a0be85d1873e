"""Pupils for ``benchmark classroom``: what each hands in, and what is known of the result beforehand."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks._classes import STARTED, folder_files, own_key, packed, signed
from benchmarks._hostile import ARCHIVES, DOMAINS, YAMLS
from benchmarks._school import Files, Known, Maker, Pupil, School
from grader.classroom import comparing
from grader.lab.lab import Lab
from grader.lab.questions import (
    ChoiceQuestion,
    ChoicesQuestion,
    CodeQuestion,
    DomainQuestion,
    FileQuestion,
    NumberQuestion,
    OrderQuestion,
    PredictionQuestion,
    TextQuestion,
    TranscriptQuestion,
    file_of,
)
from grader.submission.samples import samples
from grader.workspace import workspace


def good(school: School, name: str) -> Pupil:
    raw = school.archive(name, school.solution(name))
    school.neighbour = {"name": name.encode(), "raw": raw}
    return school.pupil(name, "good", Known(), raw)


def wrong(index: int) -> Maker:
    def made(school: School, name: str) -> Pupil:
        known = samples(school.lab)[1:]
        sample = known[index % len(known)]
        raw = school.archive(name, school.files(name, sample))
        return school.pupil(name, "wrong", Known(loses=tuple(sorted(sample.loses))), raw)

    return made


def partial(school: School, name: str) -> Pupil:
    files = school.solution(name)
    static = [
        one.id for one in school.lab if isinstance(one, ChoiceQuestion | ChoicesQuestion | TextQuestion)
    ]
    dropped = static[len(static) // 2 :]
    lines = files["answers.yaml"].decode().splitlines(keepends=True)
    kept = [line for line in lines if line.partition(":")[0].strip().strip("\"'") not in dropped]
    files["answers.yaml"] = "".join(kept).encode()
    return school.pupil(name, "partial", Known(loses=tuple(sorted(dropped))), school.archive(name, files))


def untouched(school: School, name: str) -> Pupil:
    with tempfile.TemporaryDirectory(dir=school.scratch) as folder:
        workspace.start(school.lab, name, "fr", Path(folder, "w"))
        files = folder_files(Path(folder, "w"))
    return school.pupil(name, "untouched workspace", Known(nothing=True), school.archive(name, files))


def nothing(_: School, name: str) -> Pupil:
    known = Known(nothing=True, unverified="not signed", hint="answers.yaml manque")
    return Pupil(name, "nothing handed in", known)


def broken(school: School, name: str) -> Pupil:
    raw = school.archive(name, school.solution(name))
    known = Known(nothing=True, unverified="cannot be read", hint="endommagée")
    return school.pupil(name, "broken archive", known, raw[: len(raw) // 2])


def broken_later(school: School, name: str) -> Pupil:
    raw = school.archive(name, school.solution(name))
    return school.pupil(name, "broken second attempt", Known(), raw, raw[: len(raw) // 2])


def better_later(school: School, name: str) -> Pupil:
    bad = school.archive(name, school.files(name, samples(school.lab)[1]))
    return school.pupil(name, "second attempt", Known(), bad, school.archive(name, school.solution(name), 2))


def other_key(school: School, name: str) -> Pupil:
    files = school.solution(name)
    raw = packed(signed(school.lab.slug, name, files, number=2, key=own_key(f"{name} at home")))
    known = Known(unverified=comparing.OTHER_KEY)
    return school.pupil(name, "another key later", known, school.archive(name, files), raw)


def late(hours: float, percent: float) -> Maker:
    def made(school: School, name: str) -> Pupil:
        raw = school.archive(name, school.solution(name))
        return school.pupil(name, "late", Known(percent=percent), raw, late=timedelta(hours=hours))

    return made


def copied(school: School, name: str) -> Pupil:
    known = Known(unverified=comparing.SAME_ARCHIVE)
    return school.pupil(name, "a neighbour's archive", known, school.neighbour["raw"])


def copied_answers(school: School, name: str) -> Pupil:
    files = school.solution(name)
    files["answers.yaml"] = school.solution(school.neighbour["name"].decode())["answers.yaml"]
    everything = tuple(sorted(one.id for one in school.lab))
    known = Known(review=everything, nothing=True, hint="les réponses de")
    return school.pupil(name, "a neighbour's answers", known, school.archive(name, files))


def others_evidence(school: School, name: str) -> Pupil:
    files, theirs = school.solution(name), school.solution(f"not {name}")
    # A transcript is the student's own writing: it stays, and so does all that no history knows.
    own = {one.file for one in school.lab if isinstance(one, TranscriptQuestion)}
    files |= {one: raw for one, raw in theirs.items() if one.startswith("evidence/") and one not in own}
    brought = {
        one.id
        for one in school.lab
        if isinstance(one, FileQuestion) and one.file.startswith("evidence/") and one.file not in own
    }
    return _unverified_evidence(school, name, "another's evidence", files, brought | on_measures(school.lab))


def edited_evidence(school: School, name: str) -> Pupil:
    files = school.solution(name)
    report = json.loads(files["evidence/report.json"])
    report["title"] = {"en": "edited"}
    files["evidence/report.json"] = json.dumps(report).encode()
    return _unverified_evidence(school, name, "edited evidence", files, on_measures(school.lab))


def on_measures(lab: Lab) -> set[str]:
    """Return the questions whose right answer comes from the student's own report."""
    return {
        one.id
        for one in lab
        if (isinstance(one, NumberQuestion) and one.expect.value is None)
        or (isinstance(one, OrderQuestion | PredictionQuestion | CodeQuestion) and one.measured)
    }


def _unverified_evidence(school: School, name: str, kind: str, files: Files, review: set[str]) -> Pupil:
    known = Known(review=tuple(review), unverified="evidence/report.json", hint="non vérifié")
    return school.pupil(name, kind, known, school.archive(name, files))


def other_lab(school: School, name: str) -> Pupil:
    files = school.files(name, samples(school.other)[0], school.other)
    known = Known(nothing=True, unverified="signed as a submission to", hint="ce sont des réponses à")
    return school.pupil(name, "another lab's", known, packed(signed(school.other.slug, name, files)))


def tampered(school: School, name: str) -> Pupil:
    files = signed(school.lab.slug, name, school.solution(name))
    files["answers.yaml"] += b"# a second thought\n"
    known = Known(unverified="answers.yaml was changed after it was signed")
    return school.pupil(name, "changed after signing", known, packed(files))


def unsigned(school: School, name: str) -> Pupil:
    return school.pupil(name, "not signed", Known(unverified="not signed"), packed(school.solution(name)))


def tar(school: School, name: str) -> Pupil:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for one, raw in signed(school.lab.slug, name, school.solution(name)).items():
            member = tarfile.TarInfo(f"work/{one}")
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    members = (("work.tar.gz", STARTED, made.getvalue()),)
    return Pupil(name, "tar in a folder", Known(), members)


def loose(school: School, name: str) -> Pupil:
    files = signed(school.lab.slug, name, school.solution(name))
    members = tuple((f"work/{one}", STARTED, raw) for one, raw in files.items())
    return Pupil(name, "loose files", Known(), members)


def rar(_: School, name: str) -> Pupil:
    known = Known(nothing=True, unverified="not signed", hint="seules les archives")
    return Pupil(name, "another kind of archive", known, (("work.rar", STARTED, b"Rar!\x1a\x07\x00"),))


def traps(school: School, name: str) -> Pupil:
    programs = {
        "conftest.py": b"import os; os._exit(0)",
        "sitecustomize.py": b"import os; os._exit(0)",
        "pytest.ini": b"[pytest]\naddopts = --collect-only\n",
        "test_steal.py": b"def test_all(): pass",
        ".ssh/rc": b"touch /tmp/escaped",
    }
    raw = school.archive(name, {**school.solution(name), **programs})
    return school.pupil(name, "programs beside the answers", Known(), raw)


def markup(school: School, name: str) -> Pupil:
    files = school.solution(name)
    text = '=HYPERLINK("http://x")<img src=x onerror=alert(1)> [a](javascript:alert(1))'
    lines = files["answers.yaml"].decode().splitlines()
    lines = [f"  1.3: {json.dumps(text)}" if line.strip().startswith("1.3:") else line for line in lines]
    files["answers.yaml"] = ("\n".join(lines) + "\n").encode()
    return school.pupil(name, "markup and formulas", Known(loses=("1.3",)), school.archive(name, files))


def domain_question(lab: Lab) -> DomainQuestion:
    """Return the lab's question that asks for a domain."""
    return next(one for one in lab if isinstance(one, DomainQuestion))


def hostile_xml(text: str) -> Maker:
    def made(school: School, name: str) -> Pupil:
        files, question = school.solution(name), domain_question(school.lab)
        files[question.file] = text.encode()
        on_it = {one.id for one in school.lab if isinstance(one, CodeQuestion) and one.file == question.file}
        # Which driver its guest has is asked apart, and only the test says of which domain.
        on_it |= {question.id, "3.2-inside"}
        known = Known(loses=tuple(sorted(on_it)), hint=f"{question.file}")
        return school.pupil(name, "hostile XML", known, school.archive(name, files))

    return made


def hostile_yaml(raw: bytes) -> Maker:
    def made(school: School, name: str) -> Pupil:
        files = {**school.solution(name), "answers.yaml": raw}
        # What was written into files of their own stands for itself.
        known = Known(loses=tuple(one.id for one in school.lab if not file_of(one)), hint="answers.yaml")
        return school.pupil(name, "hostile YAML", known, school.archive(name, files))

    return made


def hostile_archive(add: Callable[[zipfile.ZipFile], None]) -> Maker:
    def made(school: School, name: str) -> Pupil:
        whole = io.BytesIO(school.archive(name, school.solution(name)))
        with zipfile.ZipFile(whole, "a", zipfile.ZIP_DEFLATED) as archive:
            add(archive)
        known = Known(nothing=True, unverified="cannot be read", hint=".zip\N{NO-BREAK SPACE}: ")
        return school.pupil(name, "hostile archive", known, whole.getvalue())

    return made


def each() -> Iterator[Maker]:
    """Yield makers for ever, each kind again and again; good ones are most, as in a class."""
    usual: list[Maker] = [partial, untouched, nothing, broken, broken_later, better_later, other_key]
    usual += [late(1 / 12, 0), late(1, 10), late(30, 20), late(24 * 30, 50), copied_answers, others_evidence]
    usual += [edited_evidence, other_lab, tampered, unsigned, tar, loose, rar, traps, markup]
    rare = [*map(hostile_yaml, YAMLS), *map(hostile_xml, DOMAINS), *map(hostile_archive, ARCHIVES)]
    makers = [*usual, *rare]
    turn = 0
    while True:
        for number, maker in enumerate(makers):
            yield maker
            if number % 3 == 0:
                yield good
            if number % 9 == 0:
                # Right after a good one, whose archive it is.
                yield copied
            if number % 5 == 0:
                yield wrong(turn)
                turn += 1
