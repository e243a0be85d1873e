"""A question made ready for reading answers: its wordings taken apart, and the words that they know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from grader.checks.reading.stems import stems
from grader.checks.reading.tokens import common, unglued
from grader.checks.reading.wording import (
    AGENTS,
    BACKGROUND,
    Forms,
    Lexicon,
    Wording,
    asked_words,
    by_head,
    forms,
    known_words,
    parse,
)
from grader.lab.questions import TextQuestion
from grader.language import LANGUAGES


@dataclass(frozen=True)
class Rubric:
    """What to look for in the answers to one question."""

    ideas: dict[str, tuple[Wording, ...]]
    wrong_ideas: dict[str, tuple[Wording, ...]]
    # Atoms that hint at an idea even where no wording of it is complete.
    signs: dict[str, frozenset[str]]
    # Atoms that hint at it where they are denied.
    denied_signs: dict[str, frozenset[str]]
    # All atoms of an idea: once it is found, more of them say nothing new.
    own: dict[str, frozenset[str]]
    # All atoms of wrong ideas: to deny them takes nothing back.
    wrong: frozenset[str]
    # The words of what a pair names, by their first.
    subjects: dict[str, dict[str, Forms]]
    choices: dict[str, dict[str, Forms]]
    besides: dict[str, dict[str, Forms]]
    # How many of the subjects are asked for: the first ones.
    asked_for: int
    lexicon: Lexicon
    # Ideas, right and wrong, that choose something for a subject.
    choosing: frozenset[str]
    asked: frozenset[str]
    # What the question says in each language, but for words of every text.
    asking: tuple[frozenset[str], ...]
    background: frozenset[str]
    # Who an atom names of those who may do something.
    doers: dict[str, frozenset[str]]
    # Stems of words that say no idea: the question's, and those of every day.
    quiet: frozenset[str]

    def holds_question(self, plain: Iterable[str]) -> bool:
        """Say whether two fifths of the question stand in a text, in either language."""
        held = frozenset(plain)
        return any(len(one & held) * 5 >= len(one) * 2 for one in self.asking)

    def may_tell(self, word: str) -> bool:
        """Say whether a word is one of an idea, and not of every answer."""
        atoms = self.lexicon.atoms(word) - self.background
        if atoms and word not in common()["stop"]:
            return True
        return any(not atoms.isdisjoint(own) for own in self.own.values())

    def says_nothing(self, word: str) -> bool:
        """Say whether a word, in any form, is one of the question or of every day."""
        return word.isdigit() or any(not self.quiet.isdisjoint(stems(one)) for one in (word, unglued(word)))


_MOST_AT_HAND = 256
_AT_HAND: dict[int, tuple[TextQuestion, Rubric]] = {}


def rubric(question: TextQuestion) -> Rubric:
    """Return what a question is prepared into; a class of students asks for the same one.

    By the question's identity first: to compare two takes as long as to look for an idea.
    """
    held = _AT_HAND.get(id(question))
    if held is None or held[0] is not question:
        if len(_AT_HAND) >= _MOST_AT_HAND:
            _AT_HAND.clear()
        held = _AT_HAND[id(question)] = (question, _prepared(question))
    return held[1]


@lru_cache(maxsize=_MOST_AT_HAND)
def _prepared(question: TextQuestion) -> Rubric:
    vocabulary = dict(question.vocabulary)
    ideas = {one.id: tuple(parse(text, vocabulary) for text in one.wordings) for one in question.ideas}
    wrong = {one.id: tuple(parse(text, vocabulary) for text in one.wordings) for one in question.wrong_ideas}
    subjects, choices, besides = _named_by(question, vocabulary)
    asked = asked_words(question.ask.say(lang) for lang in LANGUAGES)
    known = known_words(question.vocabulary)
    background = _atoms_of(forms("{" + BACKGROUND + "}", vocabulary))
    used = {atom for ways in (*ideas.values(), *wrong.values()) for atom in _all_atoms(ways)} | background
    used |= {
        atom
        for named in (*subjects.values(), *choices.values(), *besides.values())
        for atom in _atoms_of(named)
    }
    doers = _doers(vocabulary)
    lexicon = Lexicon(used | doers.keys(), known | asked)
    quiet = background | {atom for word in asked for atom in lexicon.atoms(word)}
    # What stands besides is in every answer.
    no_sign = quiet | {atom for named in besides.values() for atom in _atoms_of(named)}
    own = {name: _single(ways) | _named(ways, subjects, choices) for name, ways in ideas.items()}
    return Rubric(
        ideas=ideas,
        wrong_ideas=wrong,
        signs={
            name: (_atoms(ways, "no") | _named(ways, subjects, choices)) - no_sign
            for name, ways in ideas.items()
        },
        denied_signs={name: _atoms(ways, "said", "after", "beside") - quiet for name, ways in ideas.items()},
        own=own,
        wrong=frozenset(atom for ways in wrong.values() for atom in _atoms(ways)),
        subjects={name: by_head(named) for name, named in subjects.items()},
        choices={name: by_head(named) for name, named in choices.items()},
        besides={name: by_head(named) for name, named in besides.items()},
        asked_for=len(question.pairs.of) if question.pairs else 0,
        lexicon=lexicon,
        choosing=frozenset(
            name for name, ways in (*ideas.items(), *wrong.items()) if all(one.subjects for one in ways)
        ),
        asked=asked,
        asking=tuple(asked_words([question.ask.say(lang)]) - common()["stop"] for lang in LANGUAGES),
        background=background,
        doers=doers,
        quiet=_stems(asked | common()["everyday"]),
    )


def _named_by(question: TextQuestion, vocabulary: Mapping[str, str]) -> list[dict[str, Forms]]:
    """Return the words of the subjects, the choices and what stands besides, of a question with pairs."""
    pairs = question.pairs
    kinds = ((*pairs.of, *pairs.also), pairs.to, pairs.besides) if pairs else ((), (), ())
    return [{name: forms("{" + name + "}", vocabulary) for name in names} for names in kinds]


def _stems(words: Iterable[str]) -> frozenset[str]:
    return frozenset(stem for word in words for stem in stems(word))


def _doers(vocabulary: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return the single words that name an agent, with its names."""
    found: dict[str, frozenset[str]] = {}
    for name in vocabulary.get(AGENTS, "").split():
        for form in forms(name, vocabulary):
            if len(form) == 1:
                found[form[0]] = found.get(form[0], frozenset()) | {name.strip("{}")}
    return found


def _all_atoms(ways: tuple[Wording, ...]) -> frozenset[str]:
    return frozenset(atom for one in ways for term in one.terms for form in term.forms for atom in form)


def _atoms(ways: tuple[Wording, ...], *but: str) -> frozenset[str]:
    """Return the words that wordings look for, but those of some modes."""
    terms = (term for one in ways for term in one.terms if term.mode not in {"without", *but})
    return frozenset(atom for term in terms for form in term.forms for atom in form)


def _single(ways: tuple[Wording, ...]) -> frozenset[str]:
    """Return the words that wordings look for by themselves, and not in a row: « changement_contexte »."""
    terms = (term for one in ways for term in one.terms if term.mode != "without")
    return frozenset(form[0] for term in terms for form in term.forms if len(form) == 1)


def _named(
    ways: tuple[Wording, ...], subjects: Mapping[str, Forms], choices: Mapping[str, Forms]
) -> frozenset[str]:
    """Return the words for what a pair chooses; its subject stands in the question already."""
    names = {name for wording in ways for name in (*wording.choices, *wording.subjects)}
    return frozenset(atom for name in names for atom in _atoms_of(choices.get(name, subjects.get(name, ()))))


def _atoms_of(named: Forms) -> frozenset[str]:
    return frozenset(atom for form in named for atom in form)
