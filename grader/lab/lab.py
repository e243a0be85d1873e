"""A lab: parts and questions, read from ``lab.yaml`` and refused with a position when it makes no sense."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from domains import document
from domains.document import Document, Refusal
from domains.errors import InputError, UsageError
from domains.paths import LABS
from grader.lab import experiments, parameters, public, vocabulary
from grader.lab.parameters import Value, Variable
from grader.lab.questions import INSIDE, KINDS, ExperimentQuestion, Inside, Part, Question, TextQuestion
from grader.lab.vocabulary import Vocabulary
from grader.language import Lang
from grader.language.bilingual import Bilingual

LAB_FILE = "lab.yaml"
# A whole lab in two languages is longer than a spec or a student's answers.
_MAX_BYTES = 512 * 1024
# What every question has: a key that is nearer to one of them is no slip for `kind`.
_COMMON = ("kind", "id", "points", "ask", "hint", "unit", "wants", "items")


def _file_or_list(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(INSIDE, value):
        raise Refusal(f"{value!r} is no file of the lab", remedy="name one in its folder: parts/one.yaml")
    return value


class PartHead(Part):
    """A part in ``lab.yaml``: its questions, or the file that holds them."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    title: Bilingual
    questions: Annotated[list[dict[str, Any]] | str, BeforeValidator(_file_or_list), Field(min_length=1)]


class PartFile(Part):
    """A part's questions in a file of their own (schema ``tdlab.part/1``)."""

    schema_: Literal["tdlab.part/1"] = Field(alias="schema")
    questions: Annotated[list[dict[str, Any]], Field(min_length=1)]


class LabHead(Part):
    """A lab as its file writes it (schema ``tdlab.lab/1``)."""

    schema_: Literal["tdlab.lab/1"] = Field(alias="schema")
    title: Bilingual
    words: Inside | None = None
    variants: dict[str, Any] = Field(default_factory=dict)
    parts: Annotated[list[PartHead], Field(min_length=1)]
    # Students' machines get a lab without its right answers; its file is written by tdlab.
    edition: Literal["whole", "public"] = "whole"


@dataclass(frozen=True)
class LabPart:
    """A part of a lab, with its questions in the order of the file."""

    id: str
    title: Bilingual
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Lab:
    """A lab as its author wrote it; ``slug`` is the name of its folder.

    ``variables`` are what differs between students, ``values`` those with which this lab is filled in (the
    author's, or a student's), and ``templates`` the data of the questions that refer to them, by id. ``lang``
    is the lab's first language, the one in which its title is written first. ``is_public`` says that this is
    the students' edition, by which nothing can be graded.
    """

    slug: str
    folder: Path
    title: Bilingual
    parts: tuple[LabPart, ...]
    variables: Mapping[str, Variable] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    lang: Lang = "fr"
    is_public: bool = False

    def __iter__(self) -> Iterator[Question]:
        """Walk all questions in the order of the file."""
        return (question for part in self.parts for question in part.questions)

    def question(self, question_id: str) -> Question | None:
        """Return the question with this id, or None."""
        return next((question for question in self if question.id == question_id), None)


def find(name: str) -> Path:
    """Return the folder of a lab named by its path, or by its slug when it ships with tdlab."""
    return Path(name) if Path(name).exists() or not (LABS / name).is_dir() else LABS / name


def load(path: Path) -> Lab:
    """Read a lab from its folder or its ``lab.yaml``; raises :class:`domains.errors.InputError`."""
    file = path / LAB_FILE if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        raise UsageError(
            f"{path} is not a lab: it holds no {LAB_FILE}", remedy="name a folder such as labs/r202"
        )
    return parse(document.read(file, max_bytes=_MAX_BYTES))


def load_whole(path: Path) -> Lab:
    """Read a lab as :func:`load` does, to grade by it; refuses the students' edition: it has no answers."""
    lab = load(path)
    if lab.is_public:
        raise UsageError(
            f"{lab.folder} is the students' edition of {lab.slug}: it holds no right answers",
            remedy="use the lab itself, on the machine from which it was deployed",
        )
    return lab


def parse(doc: Document) -> Lab:
    """Turn a document into a lab."""
    if not isinstance(doc.data, dict):
        raise doc.error((), "a lab is a mapping of keys to values", "begin with: schema: tdlab.lab/1")
    head = document.validate(doc, LabHead)
    words: Vocabulary = ()
    if head.words is not None:
        words = vocabulary.load(_inside(doc, ("words",), head.words))
    folder = doc.file.resolve().parent
    is_public = head.edition == "public"
    variables = parameters.parse(doc, ("variants",), head.variants)
    reading = _Reading(folder, words, variables, is_public)
    parts = tuple(
        LabPart(part.id, part.title, tuple(_questions(*_listed(doc, number, part), reading)))
        for number, part in enumerate(head.parts)
    )
    values = parameters.authors(reading.variables)
    first: Lang = "en" if next(iter(doc.data["title"])) == "en" else "fr"
    templates = reading.templates
    return Lab(folder.name, folder, head.title, parts, variables, values, templates, first, is_public)


def _inside(doc: Document, at: tuple[str | int, ...], name: str) -> Path:
    """Return a file beside the lab's own; a link that leads out of the folder is refused."""
    file = doc.file.parent / name
    if not file.resolve().is_relative_to(doc.file.resolve().parent):
        raise doc.error(at, f"{name} leads out of the lab's folder", "keep the file inside the folder")
    if not file.is_file():
        raise doc.error(at, f"there is no file {name} in the lab's folder", "create it, or correct the name")
    return file


def _listed(
    doc: Document, number: int, part: PartHead
) -> tuple[Document, tuple[str | int, ...], list[dict[str, Any]]]:
    """Return where a part's questions stand: here, or in a file of their own; and the questions."""
    at = ("parts", number, "questions")
    if not isinstance(part.questions, str):
        return doc, at, part.questions
    other = document.read(_inside(doc, at, part.questions), max_bytes=_MAX_BYTES)
    return other, ("questions",), document.validate(other, PartFile).questions


@dataclass(frozen=True)
class _Reading:
    """What all questions of a lab share, and what was seen of them so far."""

    folder: Path
    words: Vocabulary
    variables: Mapping[str, Variable]
    is_public: bool = False
    seen: set[str] = field(default_factory=set)
    templates: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def _questions(
    doc: Document, at: tuple[str | int, ...], listed: list[dict[str, Any]], reading: _Reading
) -> Iterator[Question]:
    """Read each question by the model of its own kind, so that an error names the keys of that kind."""
    for index, data in enumerate(listed):
        here = (*at, index)
        kind = data.get("kind")
        if (
            kind is None
            and (slip := document.nearest("kind", data))
            and document.nearest(slip, _COMMON) == "kind"
        ):
            raise doc.error(document.key_of((*here, slip)), f"unknown key {slip!r}", "did you mean 'kind'?")
        if kind not in KINDS:
            guess = document.nearest(kind, KINDS)
            remedy = f"did you mean {guess!r}?" if guess else f"known kinds: {', '.join(KINDS)}"
            problem = "kind is missing" if kind is None else f"unknown kind {kind!r}"
            raise doc.error((*here, "kind"), problem, remedy)
        question = _question(doc, here, data, reading)
        if question.id in reading.seen:
            problem = f"question {question.id} is asked twice"
            raise doc.error((*here, "id"), problem, "give one of them another id")
        reading.seen.add(question.id)
        if isinstance(question, TextQuestion) and not reading.is_public:
            question = vocabulary.given(doc, here, question, reading.words)
        if isinstance(question, ExperimentQuestion):
            experiments.refuse_unknown(doc, here, question, reading.folder)
        yield question


def _question(doc: Document, at: tuple[str | int, ...], data: dict[str, Any], reading: _Reading) -> Question:
    """Read a question in the author's variant; what another variant would make wrong is refused now."""
    model, variables = public.model(data, is_public=reading.is_public), reading.variables
    if not variables:
        return document.validate(doc, model, at=at, data=data)
    try:
        parameters.refuse_unknown(doc, at, data, variables)
    except InputError:
        # What stands below a misspelt key is read as something else: the key is the mistake.
        document.refuse_unknown_keys(doc, model, at=at, data=data)
        raise
    names = parameters.used(data, variables)
    for values in parameters.trials(variables, names):
        document.validate(doc, model, at=at, data=parameters.filled(data, values))
    own = parameters.filled(data, parameters.authors(variables))
    question = document.validate(doc, model, at=at, data=own)
    if names:
        reading.templates[question.id] = data
    return question


def lab_hash(folder: Path) -> str:
    """Return the SHA-256 of a lab's files, names and contents, without what Python leaves behind."""
    return tree_hash(folder, (file for file in folder.rglob("*") if file.is_file()))


def tree_hash(root: Path, files: Iterable[Path]) -> str:
    """Return the SHA-256 over the names (below ``root``) and contents of files, in any order."""
    total = hashlib.sha256()
    for file in sorted(files):
        if "__pycache__" in file.parts:
            continue
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{content}  {file.relative_to(root).as_posix()}\n".encode())
    return total.hexdigest()
