from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.errors import InputError
from grader.submission import answers

QUESTIONS = ("1.1", "1.2", "3.2-ratio")
ALPHABET = "abcé: -[]{}&*!|>'\"#%@`,?\n\t0123.~<=_\\\x00\u202e\U0001f600"


def parsed(text: str) -> answers.Answers:
    return answers.parse(text.encode(), "r202", QUESTIONS)


def test_answers_are_plain_data_with_positions() -> None:
    given_ = parsed("lab: r202\nlang: fr\nanswers:\n  1.1: b\n  1.2: [a, c]\n")
    assert given_.lang == "fr"
    assert given_.to("1.1").value == "b"
    assert str(given_.to("1.1").where) == "answers.yaml:4:8"
    assert given_.to("1.2").value == ["a", "c"]
    assert given_.to("3.2-ratio").value is None


def test_an_answer_to_a_question_of_nearly_the_same_name_is_pointed_at() -> None:
    note = parsed("answers:\n  3.2-ration: 2\n").to("3.2-ratio").note
    assert note == "answers.yaml:2:3: unknown question '3.2-ration'; did you mean '3.2-ratio'?"


def test_an_empty_file_holds_no_answers() -> None:
    assert parsed("").values == {}
    assert parsed("answers:\n").values == {}


@pytest.mark.parametrize(
    ("text", "problem", "place"),
    [
        ("- 1\n", "answers are a mapping", (1, 1)),
        ("lab: r203\n", "these are answers to 'r203'", (1, 6)),
        ("lang: de\n", "'de' is not one of en, fr", (1, 7)),
        ("answer:\n", "unknown key 'answer'", (1, 1)),
        ("answers: [1]\n", "answers is a mapping of question to answer", (1, 10)),
        ("answers:\n  1.1: a\n  1.1: b\n", "'1.1' is given twice", (3, 3)),
        ("answers:\n  1.1: &x a\n", "anchor &x is not allowed", (2, 8)),
        ("answers:\n  1.1: *x\n", "alias *x is not allowed", (2, 8)),
        ("answers:\n  1.1: !!python/object/apply:os.system [id]\n", "is not allowed", (2, 8)),
        ("answers:\n  1.1: a\x00\n", "invisible character U+0000", (2, 9)),
        ("answers:\n  1.1: a\u202eb\n", "invisible character U+202E", (2, 9)),
        ("answers: " + "[" * 20000 + "\n", "nested more than 32 levels deep", None),
        ("#" * 70000, "bytes are too many", (1, 1)),
        ("answers: {1.1: [a\n", "not valid YAML", None),
    ],
)
def test_what_is_not_plain_small_data_is_refused(
    text: str, problem: str, place: tuple[int, int] | None
) -> None:
    with pytest.raises(InputError) as caught:
        parsed(text)
    assert problem in caught.value.problem
    if place:
        assert (caught.value.where.line, caught.value.where.column) == place


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbfanswers:\n", b"answers: \xff\n", b"\xff\xfea\x00"])
def test_other_encodings_are_refused(raw: bytes) -> None:
    with pytest.raises(InputError):
        answers.parse(raw, "r202", QUESTIONS)
    assert answers.readable(raw, "r202", QUESTIONS).problem


@settings(max_examples=300)
@given(
    st.binary(max_size=200)
    | st.text(ALPHABET, max_size=120).map(str.encode)
    | st.text(ALPHABET, max_size=60).map(lambda text: f"answers:\n  1.1: {text}\n".encode())
)
def test_no_bytes_raise_anything_but_an_input_error(raw: bytes) -> None:
    found = answers.readable(raw, "r202", QUESTIONS)
    assert found.problem is None or found.problem.startswith("answers.yaml:")
