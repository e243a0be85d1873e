"""Sentences of a text, and the marks by which somebody says two things at once, or words without sense."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from grader.checks.reading.negation import denied
from grader.checks.reading.tokens import Token, common

# Both ways at once: whatever the words say, the writer has not chosen.
_EACH = r"ou alors|ou bien|"
_EITHER = (
    r"\b({}soit .* soit|either\b.* or|(?<!care )either way"
    r"|(?<!vm )(?<!une )(?<!seule )a la fois .* et|l un ou l autre|or else|ou pas|or not"
    r"|one or the other|ou sinon|or both|ou les deux|un peu des deux|both .* and (slow|fast|not)"
    r"|d un cote .* de l autre)\b"
)
_CHOOSING = (re.compile(_EITHER.format(_EACH)), re.compile(_EITHER.format("")))
# « edits one of them » names any of many.
_OF_MANY = "".join(f"(?<!{word} )" for word in ("every", "each", *common()["changing"].split()))
_DOUBT = re.compile(
    r"\b(depends?|dependra|dependrait|n importe le?quel|peu importe|or whatever|whatever$|whichever"
    r"|or maybe|ou peut etre"
    r"|i hesitate|j hesite|not sure (if|whether|about)|pas sure? (si|que|de)|(peut etre|maybe|perhaps)(?! \d)"
    # « parfois sous Advanced »: where it stands differs, not what it is.
    r"|parfois(?! (sous|appele|nomme|note|ecrit|marque))|sometimes(?! (under|called|named|labell?ed|listed))"
    r"|some say|on dit que|certains disent|probablement|possibly"
    r"|ou l inverse|ou le contraire|or the (reverse|opposite)|other way (round|around)|(ou|or) vice versa"
    r"|(?<!d )or (it|they|we)|ou (ca|cela)|may or may|hesit\w+|sans doute|il se peut|ca se peut"
    r"|or something|ou quelque chose|ou un truc"
    r"|might be|could be|pourrait etre|plus ou moins|more or less|(pas|not) certain"
    r"|not (really |very )?sure|i guess|je dirais"
    r"|i would (also )?say|tantot|in theory|en theorie|je suppose|i suppose|je suis pas sur"
    r"|no idea (if|whether)|sauf si c est (le contraire|l inverse)|je (me )?(confonds?|melange|embrouille)"
    r"|je me trompe"
    r"|i (always )?(mix|confuse|mess) (them|it|these|those|the two|both)"
    r"|(peut|peuvent|can|could) (also|aussi|as well) (be|etre)|des fois"
    r"|depending on(?! the (brand|maker|vendor|manufacturer))"
    r"|selon (les cas|le cas|que)"
    r"|l une? des deux|" + _OF_MANY + r"one of (them|these|those|the two)|un des deux"
    # What was said is taken back.
    r"|en fait non|ah non|non (en fait|attend\w*|plutot)|actually no|wait no|no wait|on second thought"
    # Which of two it is, the writer does not know, or tosses for.
    r"|(do not|can not|no idea|not sure|unsure) ((really )?(know|tell|say|recall) )?(which|who|whose)"
    r"|(sais|souviens|rappelle|dirais) (pas|plus) (trop )?(laquelle|lequel|lesquel\w*|qui|a qui)"
    r"|(laquelle|lequel|a qui)\b.{0,60} (je (ne )?|j )?(sais|souviens|rappelle|ignore) (pas|plus)"
    r"|which (one |is |of |belongs ).{0,60}(i )?(do not|can not) (know|tell|say|remember|recall)"
    r"|i am torn|50 50|fifty fifty|(both|les deux) (sound|seem|semblent|paraissent) (plausible|possible)s?"
    r"|pile ou face|toss a coin|coin toss)\b"
)
# What is said is called false as a whole: nobody knows how much of it is meant.
_CALLED_FALSE = re.compile(
    r"\b((ne )?est (pas (vrai|exact)|faux|inexact) (que|qu|de)|faux de (dire|croire|penser)"
    r"|not (true|correct|right) (that|to)|(false|wrong|untrue|incorrect) (that|to (say|think|believe)))\b"
)

# « …, jsp »: alone in its clause, this is said of all the rest.
_UNSURE = re.compile(
    r"((mais|et|but|enfin|bah) )?((je (ne )?(sais|me souviens|me rappelle) (pas|plus)"
    r"|(i )?(do not|can not) (know|remember)|idk|dunno|j ai oublie|i forgot|(i )?(am )?not sure|pas sure?)"
    r"( trop| vraiment| really| though)?( lequel| laquelle| lesquels| which| which one| which is which)?)"
)

# Whoever speaks of the marking may have written the rest for a program to find.
_OF_MARKS = re.compile(
    r"\b(ignore (all |the |any )*(previous|above|prior|other) "
    r"|ignor\w* (toutes? )?(les |tes )?(instructions|consignes)|system prompt|prompt systeme|as an ai"
    r"|en tant qu ia|the grader|le correcteur|full (marks|points|score)"
    r"|all the points|tous les points|note (maximale|max)|maximum (mark|score|points)"
    # « comme un élève qui … » only compares.
    r"|(the student|l (etudiant|eleve))( \w+){0,3} (deserves?|merite\w*|answered|repond\w*|understood"
    r"|compris|correct\w*|right|raison|juste|grade|note|mark|points?)"
    r"|this answer is (right|correct)|cette reponse est (juste|correcte|bonne)"
    r"|all (the )?ideas|toutes les idees)\b"
)

# So many words, and not one of those that make a sentence.
_SOUP = 5
_LIST = 8
_BREATH = 7
_LONG = 14
# A sentence has more small words than one in so many.
_SMALL = 5
# Who gives a reason or an aim makes a sentence.
_BINDING = frozenset(common()["binding"].split())
_OF = frozenset({"of", "de", "du", "des", "d"})


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


def speaks_of_marks(text: Sequence[Token]) -> bool:
    """Say whether the writer speaks to who marks, and not of the question."""
    return bool(_OF_MARKS.search(" ".join(token.plain for token in text if not token.is_mark)))


def goes_both_ways(text: Sequence[Token], *, is_paired: bool = False, denies: bool = False) -> bool:
    """Say whether the writer left both ways open, in so many words.

    ``is_paired``: of things that go in pairs, « vmx chez Intel ou bien svm chez AMD » chooses one for each.
    ``denies``: what is called false is known to be false.
    """
    if any("?" in token.typed for token in text):
        return True
    said = " ".join(token.plain for token in text if not token.is_mark)
    if not denies and _CALLED_FALSE.search(said):
        return True
    return bool(_DOUBT.search(said) or _CHOOSING[is_paired].search(said)) or _is_unsure(text)


def _is_unsure(text: Sequence[Token]) -> bool:
    pieces = groupby(text, key=lambda token: token.is_mark)
    said = (" ".join(token.plain for token in piece) for is_mark, piece in pieces if not is_mark)
    return any(_UNSURE.fullmatch(one) for one in said)


def is_list(text: Sequence[Token]) -> bool:
    """Say whether a text is words in a row: « VM exit KVM EPT shadow »."""
    if any(one.typed != "," if one.is_mark else one.plain in common()["stop"] for one in text):
        return False
    marks = sum(one.is_mark for one in text)
    return len(text) - marks >= (_LIST if marks else _SOUP)


def is_in_one_breath(text: Sequence[Token], clauses: Sequence[int]) -> bool:
    """Say whether a text is one clause: a long one, of "this of that of …", or of hardly a small word.

    The words are there, their sense may not be. Of the right answers that were looked at one in a hundred is
    so; of words put together without sense, most.
    """
    said = {clause for clause, token in zip(clauses, text, strict=True) if not token.is_mark}
    count = sum(not token.is_mark for token in text)
    if count < _BREATH or len(said) > 1:
        return False
    if any(token.plain in _BINDING for token in text):
        return False
    small = [token.plain for token in text if token.plain in common()["stop"]]
    is_list = count > _BREATH + 1 and len(small) * _SMALL < count
    return is_list or count >= _LONG or sum(one in _OF for one in small) > 1


@lru_cache(maxsize=1)
def _giving_up() -> tuple[str, ...]:
    """Return the phrases of those who give up, longest first."""
    return tuple(sorted(map(str, common()["given_up"]), key=len, reverse=True))


@lru_cache(maxsize=4096)
def is_given_up(plain: tuple[str, ...], *, tells: bool) -> bool:
    """Say whether nothing but « je ne sais pas » is said; ``tells``: small words may tell an idea."""
    said = whole = " ".join(plain)
    for phrase in _giving_up():
        said = said.replace(phrase, " ")
    if tells and said == whole:
        return False
    return not [word for word in said.split() if len(word) >= 3 and word not in common()["stop"]]
