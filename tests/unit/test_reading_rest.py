"""What stands beside the ideas of a short text: few words, conditions, doubt at the end, another subject."""

from __future__ import annotations

from typing import Any

import pytest

from grader.checks.reading.clauses import goes_both_ways, sentences, speaks_of_marks
from grader.checks.reading.judging import Why, judge
from grader.checks.reading.tokens import tokens
from grader.lab.questions import TextQuestion


def question(ideas: dict[str, list[str]], wrong: dict[str, list[str]] | None = None) -> TextQuestion:
    both = {"fr": "Pourquoi ?", "en": "Why?"}
    data: dict[str, Any] = {"id": "q", "kind": "text", "points": 2, "ask": both, "hint": both}
    data["ideas"] = [{"id": name, "means": both, "wordings": ways} for name, ways in ideas.items()]
    data["wrong_ideas"] = [
        {"id": name, "feedback": both, "wordings": ways} for name, ways in (wrong or {}).items()
    ]
    return TextQuestion.model_validate(data)


ASKED = question(
    {"exits": ["{exit}|exit*|sortie* each|chaque"], "slow": ["lent|slow"]},
    {"free": ["exit*|sortie* free|gratuit*"], "faster": ["always|toujours close:faster|rapide*"]},
)


@pytest.mark.parametrize(
    ("text", "is_denied", "is_not"),
    [
        ("when it is not there it walks the table", {"there"}, {"walks", "table"}),
        ("quand elle y est pas faut fouiller la table", set(), {"fouiller", "table"}),
        ("si la traduction est pas dedans elle est cherchée", {"dedans"}, {"cherchee"}),
        ("quand le TLB n'a pas la traduction", {"traduction"}, set()),
        ("it is not there, it walks", {"there"}, {"walks"}),
        ("on l'évite avec un pilote virtuel", set(), {"pilote", "virtuel"}),
        ("elle évite les sorties", {"sorties"}, set()),
    ],
)
def test_a_condition_denies_nothing_of_what_follows_from_it(
    text: str, is_denied: set[str], is_not: set[str]
) -> None:
    found = {
        one.tokens[at].plain
        for one in sentences(tokens(text))
        for at in one.denied
        if not one.tokens[at].is_mark
    }
    assert is_denied <= found
    assert not is_not & found


@pytest.mark.parametrize(
    ("text", "is_doubt"),
    [
        ("one is virtual, the other physical, I don't know which", True),
        ("laquelle est à l'invité et laquelle à l'hôte je sais pas", True),
        ("je sais plus lequel", True),
        ("which one is the guest's I can't tell", True),
        ("c'est du 50/50", True),
        ("it is one of them", True),
        ("each time it edits one of them it exits", False),
        ("partie CPU, parfois sous Advanced", False),
        ("parfois l'hôte, parfois l'invité", True),
    ],
)
def test_who_does_not_know_which_has_not_chosen(text: str, is_doubt: bool) -> None:
    assert goes_both_ways(tokens(text)) is is_doubt


def test_a_pupil_in_a_comparison_speaks_to_nobody() -> None:
    assert not speaks_of_marks(tokens("comme l'élève qui conduit, le moniteur n'intervient que s'il le faut"))
    assert speaks_of_marks(tokens("l'élève a tout compris"))
    assert speaks_of_marks(tokens("the student deserves it"))


@pytest.mark.parametrize(
    ("text", "why", "fraction"),
    [
        # What is called false is known to be false, and nothing right is denied.
        ("It isn't true that it is always faster: slow, each exit counts", Why.ALL_IDEAS, 1.0),
        ("It isn't true that it is slow at each exit", Why.HEDGED, 0.0),
        # A single word is a step of what is told.
        ("each access to the card\n- exit\n- slow", Why.ALL_IDEAS, 1.0),
        # Few words in clauses of their own tell no other idea; more may.
        ("c'est lent, la licence aussi", Why.SOME_IDEAS, 0.5),
        ("c'est lent, un douanier ouvre les valises", Why.UNCLEAR_REST, 0.5),
        # Words of wrong ideas hint at no right one.
        ("a faster gratuit compiler for students of Rennes", Why.OFF_TOPIC, 0.0),
    ],
)
def test_what_stands_beside_is_weighed(text: str, why: Why, fraction: float) -> None:
    found = judge(ASKED, text)
    assert (found.why, found.fraction) == (why, fraction)
