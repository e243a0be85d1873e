from __future__ import annotations

import re
import string

import pytest
from pydantic import ValidationError

from domains.paths import SHIPPED
from grader.checks import words
from grader.checks.domain_rules import DANGERS
from grader.language import Lang
from grader.language.bilingual import Bilingual, decimal


def test_both_languages_are_needed() -> None:
    with pytest.raises(ValidationError):
        Bilingual.model_validate({"fr": "oui"})
    with pytest.raises(ValidationError):
        Bilingual(fr="oui", en="")


def test_text_is_filled_in_only_where_it_is_asked_for() -> None:
    text = Bilingual(fr="{a} et {a}", en="{a}")
    assert text.say("fr", a=1) == "1 et 1"
    assert text.say("en") == "{a}"


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("fr", ["0 signal", "1 signal", "2 signaux"]),
        ("en", ["0 signals", "1 signal", "2 signals"]),
    ],
)
def test_a_word_takes_the_number_that_its_language_gives_it(lang: Lang, said: list[str]) -> None:
    text = Bilingual(fr="{count} {count:signal|signaux}", en="{count} {count:signal|signals}")
    assert [text.say(lang, count=count) for count in range(3)] == said[:3]
    assert Bilingual(fr="{n:,} {n:04d}", en="x").say("fr", n=1500) == "1,500 1500"


def test_no_message_leaves_the_plural_to_the_reader() -> None:
    folders = SHIPPED / "grader"
    texts = [file.read_text(encoding="utf-8") for file in folders.rglob("*.py")]
    assert not [found for text in texts for found in re.findall(r"\w+\(s\)(?=[ :])[^\n]*", text)]


def places(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def test_every_message_has_the_same_places_in_both_languages() -> None:
    messages = {name: value for name, value in vars(words).items() if isinstance(value, Bilingual)}
    assert len(messages) > 20
    for name, text in messages.items():
        fr, en = (
            {field for _, field, _, _ in string.Formatter().parse(one) if field} for one in (text.fr, text.en)
        )
        assert fr == en, name
    assert all(text.fr != text.en for text in (*messages.values(), *DANGERS.values()) if " " in text.en)


@pytest.mark.parametrize(("value", "shown"), [(2.1425, "2,14"), (1424.4, "1424"), (0.4667, "0,467")])
def test_numbers_are_written_as_the_language_does(value: float, shown: str) -> None:
    assert decimal(value, "fr") == shown
    assert decimal(value, "en") == shown.replace(",", ".")
