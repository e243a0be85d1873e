"""The words that a lab's rubrics share: a name for each thing, and all that students call it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from domains import document
from domains.document import Document
from grader.lab.questions import Part, TextQuestion

Vocabulary = tuple[tuple[str, str], ...]

_MAX_BYTES = 256 * 1024
_NAME = re.compile(r"\{([^{}|]*)\}")


class WordsFile(Part):
    """The words of a lab (schema ``tdlab.words/1``): a name for each thing, and what it is called."""

    schema_: Literal["tdlab.words/1"] = Field(alias="schema")
    words: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")], Annotated[str, Field(min_length=1)]]


def load(file: Path) -> Vocabulary:
    """Read a vocabulary; raises :class:`domains.errors.InputError` where it names what it does not hold."""
    doc = document.read(file, max_bytes=_MAX_BYTES)
    words = document.validate(doc, WordsFile).words
    for name, text in words.items():
        _refuse_unknown(doc, ("words", name), _NAME.findall(text), words)
    return tuple(words.items())


def given(
    doc: Document, at: tuple[str | int, ...], question: TextQuestion, words: Vocabulary
) -> TextQuestion:
    """Return a question that knows the lab's vocabulary, or refuse a name that is not in it."""
    if question.vocabulary:
        raise doc.error((*at, "vocabulary"), "a question has no vocabulary of its own", "name a file: words:")
    known = dict(words)
    for path, wording in question.wordings():
        _refuse_unknown(doc, (*at, *path), _NAME.findall(wording), known)
        subject, equals, choice = wording.partition("=")
        if equals:
            pairs = question.pairs
            _refuse_unknown(doc, (*at, *path), _split(subject), (*pairs.of, *pairs.also) if pairs else ())
            _refuse_unknown(doc, (*at, *path), _split(choice), pairs.to if pairs else ())
    if question.pairs:
        for key, names in question.pairs.model_dump().items():
            _refuse_unknown(doc, (*at, "pairs", key), names, known)
    return question.model_copy(update={"vocabulary": words})


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split("|")]


def _refuse_unknown(
    doc: Document, path: tuple[str | int, ...], names: Iterable[str], known: Iterable[str]
) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            guess = document.nearest(name, known)
            remedy = f"did you mean {guess!r}?" if guess else f"known: {', '.join(known) or 'none'}"
            raise doc.error(path, f"unknown name {name!r}", remedy)
