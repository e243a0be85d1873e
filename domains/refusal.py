"""What is wrong with a value, in the words of the one who wrote it.

A model's validators raise :class:`Refusal`; what pydantic finds by itself is turned into the same kind of
sentence here. No message names a class or a regular expression.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

Path_ = tuple[str | int, ...]

_SHOWN = 60
# So alike, a key is a slip for another one of the same mapping, whatever else has its name.
_SLIP = 0.9


class Refusal(ValueError):
    """Raised inside a model's validator: what is wrong, at which key below it, and what would be right."""

    def __init__(self, problem: str, *, path: Path_ = (), remedy: str | None = None) -> None:
        super().__init__(problem)
        self.problem, self.path, self.remedy = problem, path, remedy


@dataclass(frozen=True)
class Complaint:
    """One sentence on what is wrong and one on what would be right, if that is known."""

    problem: str
    remedy: str | None = None


def nearest(word: object, words: Iterable[str]) -> str | None:
    """Return the word that was probably meant, or None."""
    known, given = list(words), str(word)[:_SHOWN]
    same = [one for one in known if one.lower() == str(word).lower()]
    close = same or difflib.get_close_matches(given, known, n=5, cutoff=0.5)
    return max(close, key=lambda one: _likeness(given, one), default=None)


def _likeness(given: str, known: str) -> tuple[float, bool, bool]:
    """Of words that are equally near, two letters exchanged and then the same first letter are likelier."""
    ratio = difflib.SequenceMatcher(None, known, given).ratio()
    return ratio, sorted(given) == sorted(known), given[:1] == known[:1]


def shown(value: object) -> str:
    """Return a value as a message quotes it: short, and without anything that a terminal would act on."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return "on/true" if value else "off/false"
    if value is None:
        return "nothing"
    text = ascii(value) if not isinstance(value, str) or not value.isprintable() else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def explain(found: Mapping[str, Any], about: str | None = None) -> Complaint:
    """Turn one of pydantic's findings into a complaint.

    ``found`` is an item of ``ValidationError.errors()``; ``about`` is the field's own description, which says
    what may be written there.
    """
    kind, given, context = found["type"], found.get("input"), found.get("ctx", {})
    if kind in {"value_error", "assertion_error"}:
        return Complaint(str(context.get("error", "does not make sense")))
    if kind in {"literal_error", "enum"}:
        return _not_one_of(given, str(context["expected"]))
    sentence = _SENTENCES.get(kind)
    problem = sentence(context) if sentence else "is not what belongs here"
    if kind.endswith(("_type", "_parsing", "_from_float", "_mismatch")) or not sentence:
        problem = f"{problem}, not {shown(given)}" if sentence else f"{shown(given)} {problem}"
    return Complaint(problem, _remedy(kind, given, about))


def unknown_key(key: str, model: type[BaseModel] | None) -> Complaint:
    """Say which key was probably meant: one of this model, or one that belongs to a part of it."""
    problem = f"unknown key {shown(key)}"
    if model is None:
        return Complaint(problem)
    known = keys(model)
    called: Mapping[str, str] = getattr(model, "ALSO_CALLED", {})
    if meant := called.get(key.lower()):
        return Complaint(problem, f"did you mean {meant!r}?")
    guess = nearest(key, known)
    is_slip = guess is not None and _likeness(key, guess)[0] >= _SLIP
    for name, field in () if is_slip else model.model_fields.items():
        part = model_in(field.annotation)
        if part and part is not model and key in keys(part):
            return Complaint(problem, f"it belongs under {name}: write {name}: {{{key}: …}}")
    return Complaint(problem, f"did you mean {guess!r}?" if guess else f"known keys: {', '.join(known)}")


def keys(model: type[BaseModel]) -> list[str]:
    """Return the keys of a model as they are written in a file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the first model that an annotation holds, or None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part))), None)


def _not_one_of(given: object, expected: str) -> Complaint:
    allowed = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
    guess = nearest(given, allowed) if isinstance(given, str) else None
    problem = f"{shown(given)} is not one of {', '.join(allowed)}"
    return Complaint(problem, f"did you mean {guess!r}?" if guess else None)


def _remedy(kind: str, given: object, about: str | None) -> str | None:
    if kind == "string_type" and isinstance(given, int | float) and not isinstance(given, bool):
        return f'write it in quotes: "{shown(given)}"'
    if kind == "string_type" and isinstance(given, bool):
        return "put the word in quotes: YAML reads a bare on, off, yes or no as a switch"
    return f"write {about}" if about else None


def _count(context: Mapping[str, Any], bound: str, limit: str) -> str:
    number = context[limit]
    unit = {"String": "character", "Dictionary": "key"}.get(str(context.get("field_type", "")), "entry")
    plural = "entries" if unit == "entry" else f"{unit}s"
    return f"must have {bound} {number} {unit if number == 1 else plural}"


def _characters(context: Mapping[str, Any], bound: str, limit: str) -> str:
    return _count({**context, "field_type": "String"}, bound, limit)


Sentence = Callable[[Mapping[str, Any]], str]
_MAPPING: Sentence = lambda _: "must be a mapping of keys to values"  # noqa: E731
_LIST: Sentence = lambda _: "must be a list"  # noqa: E731
_TEXT: Sentence = lambda _: "must be text"  # noqa: E731
_WHOLE: Sentence = lambda _: "must be a whole number"  # noqa: E731
_NUMBER: Sentence = lambda _: "must be a number"  # noqa: E731
_SWITCH: Sentence = lambda _: "must be true or false"  # noqa: E731

_SENTENCES: dict[str, Sentence] = {
    "string_type": _TEXT,
    "string_pattern_mismatch": lambda _: "must be written in its own form",
    "string_too_short": lambda c: _characters(c, "at least", "min_length"),
    "string_too_long": lambda c: _characters(c, "at most", "max_length"),
    "too_short": lambda c: _count(c, "at least", "min_length"),
    "too_long": lambda c: _count(c, "at most", "max_length"),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": lambda _: "has too many digits",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "mapping_type": _MAPPING,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "iterable_type": _LIST,
    "greater_than": lambda c: f"must be more than {c['gt']:g}",
    "greater_than_equal": lambda c: f"must be at least {c['ge']:g}",
    "less_than": lambda c: f"must be less than {c['lt']:g}",
    "less_than_equal": lambda c: f"must be at most {c['le']:g}",
    "multiple_of": lambda c: f"must be a multiple of {c['multiple_of']:g}",
    "missing": lambda _: "is missing",
    "none_required": lambda _: "must be left out",
}
