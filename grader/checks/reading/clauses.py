"""Sentences of a text, and the marks by which somebody says two things at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.checks.reading.negation import denied
from grader.checks.reading.tokens import Token

# Both ways at once: whatever the words say, the writer has not chosen.
_BOTH_WAYS = re.compile(
    r"\b(ca depend|cela depend|it depends|ou alors|ou bien|soit .* soit|either|a la fois|l un ou l autre"
    r"|or else|en meme temps|at the same time|n importe le?quel|peu importe|whatever|whichever|ou pas|or not"
    r"|or maybe|ou peut etre|i hesitate|j hesite|one or the other|ou sinon|or both|ou les deux"
    r"|un peu des deux|both .* and (slow|fast|not)|d un cote .* de l autre|not sure (if|whether|about)"
    r"|pas sure? (si|que|de)|je crois|peut etre|maybe|perhaps|parfois|sometimes|some say|on dit que"
    r"|certains disent|probablement|possibly"
    # What is said is called false as a whole: nobody knows how much of it is meant.
    r"|(ne )?est (pas (vrai|exact)|faux|inexact) (que|qu|de)|faux de (dire|croire|penser)"
    r"|not (true|correct|right) (that|to)|(false|wrong|untrue|incorrect) (that|to (say|think|believe)))\b"
)


@dataclass(frozen=True)
class Sentence:
    """The words and pauses of one sentence, with the places that are denied."""

    tokens: tuple[Token, ...]
    denied: frozenset[int]


def sentences(text: Sequence[Token]) -> Iterator[Sentence]:
    """Yield the sentences of a text that hold a word."""
    here: list[Token] = []
    for token in (*text, Token(".", ".", is_mark=True)):
        if not token.ends:
            here.append(token)
            continue
        if any(not one.is_mark for one in here):
            yield Sentence(tuple(here), denied(here))
        here = []


def goes_both_ways(text: Sequence[Token]) -> bool:
    """Say whether the writer left both ways open, in so many words."""
    return bool(_BOTH_WAYS.search(" ".join(token.plain for token in text if not token.is_mark)))
