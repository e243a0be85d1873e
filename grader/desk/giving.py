"""What a form of the page gives for an answer."""

from __future__ import annotations

from collections.abc import Mapping

from grader.desk import words
from grader.language import Lang
from grader.language.i18n import points
from grader.review.decisions import LONGEST_COMMENT
from grader.review.queue import Waiting


class Refused(ValueError):
    """A form that cannot be carried out, with what to tell the teacher."""


def asked_for(one: Waiting, form: Mapping[str, list[str]], lang: Lang) -> tuple[float | None, str]:
    """Return the part of the points (None takes a decision back) and the comment; raises :class:`Refused`."""
    comment = form.get("comment", [""])[0].replace("\r\n", "\n").strip()
    if len(comment) > LONGEST_COMMENT:
        raise Refused(words.TOO_LONG.say(lang, most=LONGEST_COMMENT))
    match form.get("give", [""])[0]:
        case "full":
            return 1.0, comment
        case "zero":
            return 0.0, comment
        case "ideas" if one.ideas:
            ticked = {*form.get("idea", [])} & {idea.id for idea in one.ideas}
            return len(ticked) / len(one.ideas), comment
        case "points":
            return _part(form.get("points", [""])[0], one.question.points, lang), comment
        case "back":
            return None, ""
    raise Refused(words.NOT_OURS.say(lang))


def _part(text: str, most: float, lang: Lang) -> float:
    try:
        given = float(text.strip().replace(",", "."))
    except ValueError:
        given = float("nan")
    if not 0 <= given <= most:
        raise Refused(words.NO_POINTS.say(lang, max=points(most, lang)))
    return given / most
