"""Which words of a sentence are denied: who negates, and how far that reaches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from grader.checks.reading.tokens import Token, common

_WORDS: dict[str, frozenset[str]] = {
    name: frozenset(text.split()) for name, text in common()["negation"].items()
}
_TURNS = frozenset({"rien", "nothing", "ne"}).union(_WORDS["far"], _WORDS["unlike"], _WORDS["less"])
# Without one of these, nothing is denied.
_DENYING = _TURNS.union(
    {"n", "pas", "plus", "not"}, *(_WORDS[name] for name in ("clause", "thing", "useless"))
)
_ONLY, _PARTNERS, _BREAKS = _WORDS["only"], _WORDS["partners"], _WORDS["breaks"]
# How many words a negation of one thing reaches: « aucun exit », "no more exits", « sans copie ».
_NEAR = 5
_FAR = 40
# « rien d'autre qu'un processus », "nothing more than a process" deny nothing.
_BUT = {
    ("d", "autre"),
    ("de", "plus"),
    ("de", "moins"),
    ("more", "than"),
    ("else", "than"),
    ("other", "than"),
}
# « si pas dedans le processeur parcourt »: a condition is short.
_FEW = 3


def denied(sentence: Sequence[Token]) -> frozenset[int]:
    """Return the places in a sentence whose words are denied."""
    plain = [token.plain for token in sentence]
    if _DENYING.isdisjoint(plain):
        return frozenset()
    places: set[int] = set()
    for at, word in enumerate(plain):
        if sentence[at].is_mark:
            continue
        reach = _reach(sentence, plain, at, word)
        places.update(reach)
        # « il tourne sans aide », "needs no help": what stands before is not denied.
        is_alone = word in {"sans", "without"} or bool(
            {"need", "needs"}.intersection(plain[max(0, at - 1) : at])
        )
        is_no_use = reach and not is_alone and _WORDS["use"].intersection(plain[at + 1 : at + 5])
        if word in _WORDS["useless"] or is_no_use:
            places.update(_backward(sentence, plain, at))
    return frozenset(places)


def _backward(sentence: Sequence[Token], plain: Sequence[str], at: int) -> range:
    """« ajouter de la RAM n'aide pas » denies what comes before, to where its clause begins."""
    start = at
    while start and not sentence[start - 1].is_mark and plain[start - 1] not in _BREAKS:
        start -= 1
    return range(start, at)


def _reach(sentence: Sequence[Token], plain: Sequence[str], at: int, word: str) -> range | set[int]:
    after = plain[at + 1] if at + 1 < len(plain) else ""
    if word in _TURNS and (turned := _turned(sentence, plain, at, word, after)) is not None:
        return turned
    if word in {"ne", "n"}:
        return _french(sentence, plain, at)
    if word == "pas":
        return _spoken(sentence, plain, at)
    if word == "plus":
        before = plain[at - 1] if at else ""
        # « il faut plus de cartes qu'avant » compares.
        is_compared = bool({"que", "qu"}.intersection(plain[at + 2 : at + 6]))
        is_more = after in {"de", "d"} and (is_compared or (before == "a" and plain[max(0, at - 2)] != "y"))
        is_denial = after == "besoin" or (before in _WORDS["spoken_plus"] and not is_more)
        return _forward(sentence, plain, at, _FAR) if is_denial else set()
    if word == "not" and after == "without":
        return set()
    if word in _WORDS["clause"]:
        return _clause(sentence, plain, at, word, after)
    if word in _WORDS["thing"]:
        return _thing(sentence, plain, at, word, after)
    return set()


def _turned(
    sentence: Sequence[Token], plain: Sequence[str], at: int, word: str, after: str
) -> range | set[int] | None:
    """Return what is denied by « loin de », "unlike" and the like, or None for any other word."""
    hinders = _WORDS["hinders"].intersection(plain[at + 1 : at + 3])
    if hinders and (word in {"rien", "nothing"} or (word == "ne" and plain[max(0, at - 1)] == "rien")):
        return set()
    if word in _WORDS["far"] and after in _WORDS["far_from"]:
        return _forward(sentence, plain, at, _FAR)
    if word in _WORDS["unlike"]:
        return _forward(sentence, plain, at, _NEAR)
    if word in _WORDS["less"] and after in _WORDS["lessened"]:
        return {at + 1}
    return None


def _clause(sentence: Sequence[Token], plain: Sequence[str], at: int, word: str, after: str) -> set[int]:
    if word in _WORDS["untrue"]:
        return set(_forward(sentence, plain, at, _FAR))
    beyond = plain[at + 2] if at + 2 < len(plain) else ""
    if (
        after in _ONLY
        or (after == "but" and word == "nothing")
        or (word in {"nothing", "rien"} and (after, beyond) in _BUT)
    ):
        return set()
    reach = set(_forward(sentence, plain, at, _FAR))
    if word in {"nothing", "rien", "none"}:
        reach |= set(range(max(0, at - 1), at))
    return reach


def _thing(
    sentence: Sequence[Token], plain: Sequence[str], at: int, word: str, after: str
) -> range | set[int]:
    before = plain[at - 1] if at else ""
    if word in {"sans", "without"} and before in {"pas", "not"}:
        return set()
    # « on peut l'éviter avec un pilote … » names the means, and avoids something else.
    if word.startswith(("evit", "avoid")) and after in _WORDS["means"]:
        return set()
    if word == "non" and (after.startswith(("privil", "root", "sensib", "modif")) or after in {"", "mais"}):
        return set()
    if (word == "instead" and after != "of") or (word == "rather" and after != "than"):
        return set()
    if word == "lieu" and before not in {"au", "in"}:
        return set()
    return _forward(sentence, plain, at, _FAR if after == "longer" else _NEAR)


def _french(sentence: Sequence[Token], plain: Sequence[str], at: int) -> set[int]:
    for place in range(at + 1, min(at + 8, len(plain))):
        if plain[place] in _WORDS["not_a_denial"]:
            return set()
        if plain[place] in {"que", "qu"}:
            return set()
        if plain[place] in _PARTNERS:
            if (plain[place] == "pas" and _is_only(plain, place)) or _is_all_but(plain, place):
                return set()
            return {*range(at + 1, place), *_forward(sentence, plain, place, _FAR)}
    # « n VM » counts them.
    return set(_forward(sentence, plain, at, _NEAR)) if plain[at] == "ne" else set()


def _is_all_but(plain: Sequence[str], at: int) -> bool:
    """« n'est plus utilisable que par elle » says who, and denies nothing of that."""
    if plain[at] != "plus":
        return False
    que = next(
        (place for place in range(at + 1, min(at + 5, len(plain))) if plain[place] in {"que", "qu"}), None
    )
    return que is not None and plain[que + 1 : que + 2] != [] and plain[que + 1] in _WORDS["all_but"]


def _is_only(plain: Sequence[str], at: int) -> bool:
    """« pas seulement », « pas que lent », « pas sans » deny nothing; « pas qu'il … » does."""
    after, beyond = (*plain[at + 1 : at + 3], "", "")[:2]
    if after in {"que", "qu"}:
        return beyond not in _WORDS["new_clause"]
    return after in _ONLY or after == "sans"


def _spoken(sentence: Sequence[Token], plain: Sequence[str], at: int) -> set[int]:
    """« pas » alone; after « ne » it was reckoned there already."""
    if any(one in {"ne", "n"} for one in plain[max(0, at - 5) : at]) or _is_only(plain, at):
        return set()
    reach = set(_forward(sentence, plain, at, _FAR))
    if at and plain[at - 1] not in _WORDS["auxiliaries"] and not sentence[at - 1].is_mark:
        reach.add(at - 1)
    return reach


def _forward(sentence: Sequence[Token], plain: Sequence[str], at: int, most: int) -> range:
    end = at + 1
    since = max((place for place in range(max(0, at - 2 * _FEW), at) if sentence[place].is_mark), default=-1)
    before = plain[max(0, at - 2 * _FEW, since + 1) : at]
    is_condition = bool(_WORDS["condition"].intersection(before)) or ("s", "il") in pairwise(before)
    if is_condition:
        most = min(most, _FEW)
    while end < len(plain) and end - at <= most and not _breaks(sentence, plain, end, at):
        # « s'il n'est pas là la MMU relit la table »: what then happens is not denied.
        if is_condition and plain[end] in _WORDS["then" if end > at + 1 else "at_once"]:
            break
        end += 1
    return range(at + 1, end)


def _breaks(sentence: Sequence[Token], plain: Sequence[str], place: int, since: int) -> bool:
    if sentence[place].is_mark:
        # « ni la RAM, ni les cœurs » goes on, and so does "no (real) card".
        return not (place + 1 < len(plain) and plain[place + 1] in {"ni", "nor", "or", "ou"})
    word = plain[place]
    after = plain[place + 1] if place + 1 < len(plain) else ""
    if word in {"et", "and"}:
        return after in _WORDS["new_clause"]
    if word == "on":
        # « pas, on … » begins anew; "not used on exits" goes on.
        return plain[since] not in _WORDS["english"]
    if word in _WORDS["subjects"] and plain[place - 1] not in {"que", "qu", "that"} and place > since + 1:
        return True
    if word == "c" and after == "est" and place > since + 1:
        return True
    return word in _BREAKS and (place > since + 1 or word in _WORDS["moment"])
