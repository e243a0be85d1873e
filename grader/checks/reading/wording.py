"""The language in which a lab's author writes wordings, and the words that it makes known.

A wording is terms that stand together in one sentence, in any order. A term is alternatives (``a|b``); an
alternative is a word in any form, a beginning (``word*``), a word in just this form (``emulates!``), words in
a row (``page_table``), or a name from the lab's vocabulary (``{exit}``). ``no:term`` wants the term denied,
``any:term`` takes it either way, ``without:term`` wants it nowhere in the sentence, ``after:term`` behind the
term before it, ``close:term`` wants all of the wording in one clause, ``beside:term`` leaves the word to
another idea. With ``maybe:term`` a wording never fits, and the answer goes to the teacher.
``term@{guest}`` wants it done by the guest, where the text says by whom, and ``term@!{guest}`` only where it
says so; the entry ``agents`` names all that may do something. ``>`` is an arrow that the writer draws.
``subject = choice`` pairs names of ``pairs``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from grader.checks.reading import typos
from grader.checks.reading.stems import stems
from grader.checks.reading.tokens import common, plain, unglued, words

Mode = Literal["said", "no", "any", "without", "after", "close", "beside", "maybe"]
_MODES: dict[str, Mode] = {
    "no": "no",
    "any": "any",
    "without": "without",
    "after": "after",
    "close": "close",
    "beside": "beside",
    "maybe": "maybe",
}
Forms = tuple[tuple[str, ...], ...]
BACKGROUND = "background"
AGENTS = "agents"
_SHORTEST_STEM = 4
_SHORTEST_PLURAL = 2
# Of shorter beginnings a slip makes others.
_LONG_START = 6


@dataclass(frozen=True)
class Term:
    """Alternatives, each of them words in a row; and how they are to stand in the sentence."""

    forms: Forms
    mode: Mode = "said"
    # Who does it, where the text says who; nobody: anybody.
    by: frozenset[str] = frozenset()
    # Only where the text says so.
    is_strict: bool = False
    # The alternatives as they were written: in one question, the same ones stand in many wordings.
    written: str = ""
    # The forms by their first word: only what a text holds is looked for, not all that it might.
    heads: Mapping[str, Forms] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "heads", by_head(self.forms))


@dataclass(frozen=True)
class Wording:
    """Terms that stand together; or, for a pair, what is chosen for a subject."""

    terms: tuple[Term, ...] = ()
    subjects: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @cached_property
    def is_close(self) -> bool:
        """Whether all of this stands in one clause."""
        return any(term.mode == "close" for term in self.terms)

    @cached_property
    def is_hint(self) -> bool:
        """Whether this only hints at an idea and never fits."""
        return any(term.mode == "maybe" for term in self.terms)

    @cached_property
    def wanted(self) -> tuple[frozenset[str], ...]:
        """For each term that must stand somewhere, the words of which one begins it; what is rare first."""
        return tuple(
            sorted((frozenset(term.heads) for term in self.terms if term.mode != "without"), key=len)
        )


def parse(wording: str, vocabulary: Mapping[str, str]) -> Wording:
    """Take a wording apart; a name that the vocabulary does not know stands for nothing."""
    subject, equals, choice = wording.partition("=")
    if equals:
        return Wording(subjects=_names(subject), choices=_names(choice))
    return Wording(terms=tuple(_term(one, vocabulary) for one in wording.split()))


def by_head(forms: Forms) -> dict[str, Forms]:
    """Return forms by their first word."""
    found: dict[str, Forms] = {}
    for form in forms:
        found[form[0]] = (*found.get(form[0], ()), form)
    return found


def forms(text: str, vocabulary: Mapping[str, str], within: frozenset[str] = frozenset()) -> Forms:
    """Return the alternatives of a term, names replaced by their words (which may be names again).

    ``within``: the names that are being replaced, which stand for nothing in their own words.
    """
    found: list[tuple[str, ...]] = []
    for one in text.split("|"):
        if one.startswith("{"):
            name = one.strip("{}")
            for word in "" if name in within else vocabulary.get(name, "").split():
                found += forms(word, vocabulary, within | {name})
        elif one:
            found.append(_row(one))
    return tuple(dict.fromkeys(found))


# Wordings share most of their words.
@lru_cache(maxsize=16384)
def _row(alternative: str) -> tuple[str, ...]:
    """Return the plain words in a row that an alternative stands for."""
    return tuple(part for part in plain(alternative).split("_") if part)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split("|"))


def _term(text: str, vocabulary: Mapping[str, str]) -> Term:
    text, *doers = text.split("@")
    is_strict = any(one.startswith("!") for one in doers)
    by = frozenset(one.strip("!{}") for one in doers)
    head, colon, rest = text.partition(":")
    if colon and head in _MODES:
        return Term(forms(rest, vocabulary), _MODES[head], by, is_strict, rest)
    return Term(forms(text, vocabulary), "said", by, is_strict, text)


class Lexicon:
    """The words of a lab: which of them a typed word is, whatever its form, and whatever slips into it."""

    def __init__(self, atoms: Iterable[str], also_known: Iterable[str] = ()) -> None:
        self._by_stem: dict[str, set[str]] = {}
        self._by_start: dict[str, set[str]] = {}
        self._by_word: dict[str, frozenset[str]] = {}
        self._cache: dict[str, frozenset[str]] = {}
        self._known = {word for word in also_known if not word.endswith("*")} | common()["stop"]
        # Beginnings in use elsewhere in the lab: « confine » is no slip for « confie ».
        self._known_starts = tuple(word[:-1] for word in also_known if word.endswith("*") and len(word) > 5)
        for atom in atoms:
            if atom.endswith("!"):
                self._by_word[atom[:-1]] = frozenset({atom})
            elif atom.endswith("*"):
                self._by_start.setdefault(atom[:3].rstrip("*"), set()).add(atom)
            else:
                # "other VMs": words of two letters have no stem.
                plural = {f"{atom}s"} if len(atom) == _SHORTEST_PLURAL and atom.isalpha() else set()
                for stem in stems(atom) | plural:
                    self._by_stem.setdefault(stem, set()).add(atom)
        self._targets = sorted({atom.rstrip("*") for found in self._by_stem.values() for atom in found})
        starts = sorted({atom.rstrip("*") for found in self._by_start.values() for atom in found})
        self._long_starts = [start for start in starts if len(start) >= _LONG_START]

    def atoms(self, word: str) -> frozenset[str]:
        """Return the atoms that a plain word stands for: none for most words."""
        found = self._cache.get(word)
        if found is None:
            found = self._exact(word)
            if not found and word not in self._known and not word.startswith(self._known_starts):
                found = self._exact(unglued(word)) or self._mistyped(word)
            if len(self._cache) < 50_000:
                self._cache[word] = found
        return found

    def _exact(self, word: str) -> frozenset[str]:
        found = {atom for stem in stems(word) for atom in self._by_stem.get(stem, ())}
        if word in common()["stop"]:
            # "faut" is no "fault", and "ram" no "rame": everyday and short words stand for themselves alone.
            found = {atom for atom in found if atom == word}
        elif len(word) < _SHORTEST_STEM:
            found = {atom for atom in found if word in {atom, f"{atom}s"}}
        # « ça rame » is no "ram".
        found = {one for one in found if len(one) >= _SHORTEST_STEM or word in {one, f"{one}s"}}
        for length in (1, 2, 3):
            begins = self._by_start.get(word[:length], ())
            found |= {atom for atom in begins if word.startswith(atom[:-1])}
        return self._by_word.get(word, frozenset()) | found

    def _mistyped(self, word: str) -> frozenset[str]:
        near = typos.meant(word, self._targets)
        if near is not None:
            return self._exact(near)
        # A slip within the beginning that was asked for: the ending is free.
        for start in self._long_starts:
            # No slip is in a word's first letter.
            if start[0] == word[0] and len(word) >= len(start) and typos.meant(word[: len(start)], (start,)):
                return self._exact(start)
        return frozenset()


@lru_cache(maxsize=8)
def known_words(vocabulary: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """Return all words and beginnings of a whole vocabulary."""
    texts = (text.replace(" ", "|") for _, text in vocabulary)
    return frozenset(atom for text in texts for form in forms(text, {}) for atom in form)


def asked_words(texts: Iterable[str]) -> frozenset[str]:
    """Return the plain words of a question, in all its languages."""
    return frozenset(word for text in texts for word in words(text))
