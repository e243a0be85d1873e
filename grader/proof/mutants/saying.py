"""Turn a wording of a rubric into words that a student could have written."""

from __future__ import annotations

from grader.checks.reading import wording as wordings
from grader.lab.questions import TextQuestion

_DENIAL = "pas de"


def said(wording: str, question: TextQuestion) -> str:
    """Return words that a wording is meant to find, or nothing when it names what cannot be said."""
    vocabulary = dict(question.vocabulary)
    parsed = wordings.parse(wording, vocabulary)
    if parsed.subjects:
        subject = _word(wordings.forms("{" + parsed.subjects[0] + "}", vocabulary))
        choice = _word(wordings.forms("{" + parsed.choices[0] + "}", vocabulary))
        return f"{subject} : {choice}." if subject and choice else ""
    if parsed.is_hint:
        return ""
    words = []
    for term in parsed.terms:
        word = _word(term.forms)
        if term.mode == "without" or not word:
            continue
        words.append(f"{_DENIAL} {word}" if term.mode == "no" else word)
    return f"{' '.join(words)}." if words else ""


def _word(forms: tuple[tuple[str, ...], ...]) -> str:
    """Return the first alternative that is a word in full, or the beginning of one."""
    whole = [form for form in forms if not any(part.endswith("*") for part in form)]
    chosen = (whole or forms or ((),))[0]
    return " ".join(part.rstrip("*") for part in chosen)
