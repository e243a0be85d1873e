"""French and English: complete, and written as each language writes."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from domains.errors import InfrastructureError, UsageError
from grader.language import i18n
from grader.language.i18n import fixed, moment, number, plain, points, translator

LANGUAGE = Path(i18n.__file__).parent
GRADER = LANGUAGE.parent
PYTHON_MARKS = {"N_": None, "say": None}
TEMPLATE_MARKS = ("t", "both")


def texts_used() -> set[str]:
    found: set[str] = set()
    for file in GRADER.rglob("*.py"):
        # Elsewhere "say" is progress on stderr, which is English.
        if file.name != "i18n.py" and "from grader.language.i18n import" not in file.read_text(
            encoding="utf-8"
        ):
            continue
        with file.open("rb") as source:
            found |= {str(one) for _, one, _, _ in extract("python", source, keywords=PYTHON_MARKS)}
    for file in GRADER.rglob("*.j2"):
        parsed = Environment(autoescape=True).parse(file.read_text(encoding="utf-8"))
        for _, _, one in extract_from_ast(parsed, gettext_functions=TEMPLATE_MARKS):
            text = one[0] if isinstance(one, tuple) else one
            # None is a text that a variable holds: those are marked with N_ where they are written.
            found |= {text} if text else set()
    return found


def french() -> dict[str, str]:
    with (LANGUAGE / "locale/fr.po").open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file, locale="fr") if one.id}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_has_french() -> None:
    used = texts_used()
    assert "What each NIC model costs" in used
    assert "Published, not measured here" in used
    assert not used - {text for text, said in french().items() if said}


def test_no_french_is_left_over() -> None:
    assert not french().keys() - texts_used()


def test_both_languages_fill_in_the_same_values() -> None:
    for text, said in french().items():
        assert fields(text) == fields(said), text


def test_french_typography() -> None:
    for said in french().values():
        assert "'" not in said, said
        assert not any(f" {mark}" in said for mark in ":;%?!"), said


def test_a_text_without_french_is_our_error() -> None:
    with pytest.raises(InfrastructureError, match=r"add it to locale/fr\.po"):
        translator("fr")("a text that nobody translated")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError, match="choose one of en, fr"):
        translator("de")


def test_values_are_filled_in() -> None:
    assert translator("fr")("Under {accelerator}", accelerator="KVM") == "Sous KVM"
    assert translator("en")("Under {accelerator}", accelerator="{x}") == "Under {x}"


@pytest.mark.parametrize(
    ("value", "english", "french_"),
    [
        (0, "0", "0"),
        (0.00123, "0.00123", "0,00123"),
        (9.996, "10.0", "10,0"),
        (99.96, "100", "100"),
        (1424.6, "1,425", "1\u202f425"),
        (-3.2, "-3.20", "-3,20"),
    ],
)
def test_number(value: float, english: str, french_: str) -> None:
    assert number(value, "en") == english
    assert number(value, "fr") == french_


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        number(float("nan"), "en")


def test_fixed_and_points() -> None:
    assert fixed(2.5, "fr", decimals=2) == "2,50"
    assert [points(value, "fr") for value in (3, 3.5, 3.25, 1 / 3)] == ["3", "3,5", "3,25", "0,33"]


def test_moment() -> None:
    assert moment("2026-01-15T10:00:00+00:00", "en") == "15 January 2026, 10:00 UTC"
    assert moment("2026-01-15T10:00:00+00:00", "fr") == "15 janvier 2026 à 10:00 UTC"
    assert moment("<yesterday>", "fr") == "<yesterday>"


def test_plain() -> None:
    say = translator("fr")
    assert [plain(one, say) for one in (None, True, [0.5, "x"], [], 3)] == ["–", "oui", "0.5, x", "–", "3"]
