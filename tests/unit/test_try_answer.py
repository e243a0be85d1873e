"""``tdlab try-answer``: one text with its reasons, or a line of JSON for each line of JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from domains.errors import UsageError
from grader.commands.try_answer import command

RIGHT = "L'invité modifie ses tables des pages, et chaque écriture provoque une sortie."


def run(*words: str, text: str | bytes = "") -> Result:
    return CliRunner().invoke(command, ["r202", *words], input=text, standalone_mode=False)


def lines(*given: object) -> tuple[list[dict[str, Any]], Result]:
    text = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in given)
    result = run("--jsonl", text=text)
    return [json.loads(line) for line in result.stdout.splitlines()], result


def answer(text: object, question: object = "2.2", **more: object) -> dict[str, object]:
    return {"id": "one", "question": question, "lang": "fr", "answer": text, **more}


def test_one_text_is_judged_with_the_words_that_it_was_judged_by() -> None:
    result = run("2.2", "--lang", "fr", text=RIGHT)
    assert result.exception is None
    assert result.return_value == 0
    assert result.stdout.splitlines() == [
        "3 pt sur 3, noté seul",
        "  guest-writes, vu dans\u00a0: modifie … tables",
        "  exit-each-time, vu dans\u00a0: sortie",
        "toutes les idées y sont, et aucune fausse",
    ]


def test_a_wrong_text_is_told_why() -> None:
    said = run("2.2", text="they use twice the memory").stdout
    assert "0 of 3 pt, marked alone" in said
    assert "guest-writes, not seen" in said
    assert "wrong idea memory-use, seen in: twice … memory" in said
    assert "it is the exits that cost" in said


def test_each_line_of_json_gets_its_line() -> None:
    found, result = lines(answer(RIGHT), answer("jsp", lang="en"), answer("bla", id={"a": 1}))
    assert result.return_value == 0
    assert found[0] == {
        "id": "one",
        "fraction": 1.0,
        "decided": "alone",
        "ideas": ["guest-writes", "exit-each-time"],
        "wrong_ideas": [],
        "why": "toutes les idées y sont, et aucune fausse",
    }
    assert (found[1]["fraction"], found[1]["why"]) == (0.0, "answer with one or two sentences")
    assert found[2]["id"] == {"a": 1}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not JSON"),
        ("[1]", "a line is one JSON object"),
        ("[" * 100_000, "not JSON"),
        (answer(RIGHT, "2.22"), "unknown question '2.22'"),
        (answer(RIGHT, "2.22"), "did you mean '2.2'?"),
        (answer(RIGHT, "vmcs-entry"), "takes no text"),
        (answer(RIGHT, None), "no question is named"),
        (answer(RIGHT, ["2.2"]), "unknown question"),
        (answer(7), "answer: a text is expected"),
        (answer(RIGHT, lang="de"), "lang: 'de' is not one of"),
        (answer(RIGHT, lang=[]), "lang: [] is not one of"),
    ],
)
def test_one_bad_line_says_so_and_stops_no_other(line: object, says: str) -> None:
    found, result = lines(answer(RIGHT), line, answer(RIGHT))
    assert [one.get("fraction") for one in found] == [1.0, None, 1.0]
    assert says in found[1]["error"]
    assert found[1]["line"] == 2
    assert result.return_value == 4


def test_bytes_that_are_no_text_and_half_characters_are_survived() -> None:
    good = json.dumps(answer("\ud800 sortie")).encode()
    result = run("--jsonl", text=b"\xff\xfe{}\n\n" + good + b"\n" + b"x" * 1_500_000 + b"\n" + good)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert ["error" in one for one in found] == [True, False, True, False]
    assert "too long" in found[2]["error"]


def test_an_unknown_question_names_the_nearest() -> None:
    error = run("3.l", text="x").exception
    assert isinstance(error, UsageError)
    assert "unknown question '3.l'" in str(error)
    assert isinstance(run(text="x").exception, UsageError)
    assert isinstance(run("2.2", "--jsonl").exception, UsageError)
