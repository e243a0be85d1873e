"""How people write letters, lists and orders: ``B.``, ``réponse b``, ``A et C``, ``virtio > e1000``.

What is not plainly one of these is no answer, never a guess: whoever wrote it is told what to write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from grader.language.bilingual import Bilingual

_LONGEST = 500
# Words around a letter that say nothing of which one.
_AROUND = frozenset(
    re.split(
        "[ ]",
        "réponse réponses reponse reponses answer answers option options choix choice choices lettre lettres "
        "letter letters la les the le et and puis then ensuite enfin",
    )
)
_IT_IS = re.compile(r"^(c['’]est|ce sont|it is|it['’]s|they are)\s+", re.IGNORECASE)
# Between letters; every other sign could mean something: « b ou c ? », "a-c", "!b", "~~b~~".
_BETWEEN_LETTERS = re.compile(r"[\s.,;:()\[\]{}\"'’«»*_/+&|]+")
_BULLET = re.compile(r"^[-–—•]\s+")
_LABELLED = re.compile(r"\s*[(\[]?(\w{1,3})\s*[)\].:–—=-]+\s*(.+)", re.DOTALL)
# Of an order: a > b, a → b, a, b; numbers before the items say the same once more.
_BETWEEN_ITEMS = re.compile(r"\s*(?:[-=]*>|[→⇒≥,;|]|\s[-–—/]\s|\s)\s*")
_NUMBERED = re.compile(r"(?:(?<=[\s,;>])|^)\(?\d{1,2}\s*[.)°]\s*(?=\S)")


def letters(value: object, options: Mapping[str, Bilingual]) -> set[str] | None:
    """Return the options that an answer names, by letter or by what they say; None when it is not clear."""
    if isinstance(value, list):
        found = [letters(one, options) for one in value if not isinstance(one, list | dict)]
        known = [one for one in found if one is not None]
        return set().union(*known) if len(known) == len(value) else None
    if isinstance(value, dict) or value is None:
        return None
    text = unicodedata.normalize("NFKC", str(value)[:_LONGEST]).strip()
    if option := _option(text, options):
        return {option}
    if not text:
        return set()
    if (said := _by_label(text, options)) is not None:
        return {said}
    words = [one for one in _BETWEEN_LETTERS.split(_BULLET.sub("", _IT_IS.sub("", text))) if one]
    if len(words) == 1 and _option(words[0], options) is None:
        words = _together(words[0], options)
    named = [_option(one, options) for one in words if _option(one, options) or one.casefold() not in _AROUND]
    chosen = {one for one in named if one is not None}
    return chosen if chosen and None not in named else None


def order(value: object, items: Sequence[str], labels: Mapping[str, Bilingual]) -> list[str] | None:
    """Return all items in the order that an answer gives them, or None when it does not hold each once."""
    known = {item.casefold(): item for item in items}
    known |= {_plain(text): item for item, label in labels.items() for text in (label.fr, label.en)}
    listed = [known.get(_plain(one), "") for one in _listed(value, known)]
    return listed if sorted(listed) == sorted(items) else None


def prose(value: object) -> str | None:
    """Return what was written as a text: also as a list of sentences, or as ``this: that`` for each thing."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    if isinstance(value, dict) and value and all(isinstance(one, str) for one in value.values()):
        return "\n".join(f"{key}: {one}" for key, one in value.items())
    return None


def _option(word: str, options: Mapping[str, Bilingual]) -> str | None:
    """Return the option that is meant: B stands for b where there is no B."""
    if word in options:
        return word
    meant = [option for option in options if option.casefold() == word.casefold()]
    return meant[0] if len(meant) == 1 else None


def _by_label(text: str, options: Mapping[str, Bilingual]) -> str | None:
    """Return the option whose text was written out, alone or behind its own letter."""
    match = _LABELLED.fullmatch(text)
    letter = _option(match[1], options) if match else None
    said = _plain(match[2]) if match and letter else _plain(text)
    meant = [key for key, label in options.items() if said in {_plain(label.fr), _plain(label.en)}]
    return meant[0] if len(meant) == 1 and letter in {None, meant[0]} else None


def _together(word: str, options: Mapping[str, Bilingual]) -> list[str]:
    """Return the letters of ``ACE``, where every option is a letter and none is there twice."""
    if all(len(option) == 1 for option in options) and len(set(word)) == len(word):
        return list(word)
    return [word]


def _listed(value: object, known: Mapping[str, str]) -> Iterator[str]:
    if isinstance(value, dict) and [str(key) for key in value] == [str(one + 1) for one in range(len(value))]:
        value = list(value.values())
    if isinstance(value, list):
        if len(value) == 1 and isinstance(value[0], str):
            yield from _listed(value[0], known)
            return
        for one in value:
            yield "" if isinstance(one, list | dict) else _NUMBERED.sub("", str(one))
    elif isinstance(value, str):
        text = _NUMBERED.sub(" ", value[:_LONGEST]).strip()
        words = [word.strip(".") for word in _BETWEEN_ITEMS.split(text)]
        yield from (word for word in words if word and (word in known or word.casefold() not in _AROUND))


def _plain(text: str) -> str:
    """Return a text without case, outer dots and differences of apostrophes and spaces."""
    same = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(same.split()).strip(" .")
