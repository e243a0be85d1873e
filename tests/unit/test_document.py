"""YAML with positions: what is refused, where, and that nothing but an InputError ever comes out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from domains import document
from domains.errors import InputError, UsageError

FILE = Path("f.yaml")


def _refused(raw: bytes, **limits: int) -> InputError:
    with pytest.raises(InputError) as refused:
        document.parse(raw, FILE, **limits)
    return refused.value


@pytest.mark.parametrize(
    ("raw", "place", "problem"),
    [
        (b"a: 1\na: 2", "2:1", "'a' is given twice"),
        (b"1: x\n'1': y", "2:1", "'1' is given twice"),
        (b"a: &x 1", "1:4", "anchor &x is not allowed"),
        (b"b: *x", "1:4", "alias *x is not allowed"),
        (
            b"a: !!python/name:os.system x",
            "1:4",
            "tag 'tag:yaml.org,2002:python/name:os.system' is not allowed",
        ),
        (b"? [a]\n: 1", "1:3", "a key must be a plain word"),
        (b"[" * 40, "1:33", "nested more than 32 levels deep"),
        (b"a: 1\n  b: 2", "2:4", "not valid YAML"),
        (b"a: 1\n---\nb: 2", "2:1", "not valid YAML"),
        (b"x\xc3\xa9: \xff", "1:5", "not UTF-8"),
        (b"\xef\xbb\xbfa: 1", "1:1", "byte order mark"),
        (b"a: 1\nb: \x07", "2:4", "invisible character U+0007"),
        ("a: x\u202ey".encode(), "1:5", "invisible character U+202E"),
        ("a: x\u2028y".encode(), "1:5", "invisible character U+2028"),
        (b"a: x\ry", "1:5", "invisible character U+000D"),
        (b'a: "\\e[31m"', "1:4", "invisible character U+001B"),
        (b'"a\\0key": 1', "1:1", "invisible character U+0000"),
        (b"a: 0x" + b"f" * 99, "1:4", "a number of 101 characters is too long"),
    ],
)
def test_what_is_not_plain_data_is_refused_at_its_place(raw: bytes, place: str, problem: str) -> None:
    refused = _refused(raw)
    assert (f"{refused.where.line}:{refused.where.column}", problem in refused.problem) == (place, True), (
        refused
    )


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    assert "11 bytes are too many" in _refused(b"a: 12345678", max_bytes=10).problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("1_000", 1000),
        ("0x1F", 31),
        ("010", "010"),
        ("52:54:00:12:34:56", "52:54:00:12:34:56"),
        ("03:10.0", "03:10.0"),
        ("1.5", 1.5),
        ("-.inf", -math.inf),
        ("on", True),
        ("No", False),
        ("~", None),
        ("2024-01-01", "2024-01-01"),
        ("'12'", "12"),
        ("<<", "<<"),
    ],
)
def test_scalars_are_what_people_mean(text: str, value: object) -> None:
    read = document.parse(f"a: {text}".encode(), FILE).data["a"]
    assert (type(read), read) == (type(value), value)


def test_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        document.read(tmp_path / "no.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        document.read(tmp_path)


def _error(raw: bytes) -> InputError | None:
    """Return what is refused; any other exception fails the test."""
    try:
        document.parse(raw, FILE)
    except InputError as refused:
        return refused
    return None


@given(st.binary(max_size=300))
def test_any_bytes_are_data_or_an_input_error(raw: bytes) -> None:
    refused = _error(raw)
    if refused:
        assert refused.where.line >= 1
        assert refused.where.column >= 1


@given(st.text(alphabet="a01.:-+_xef{}[],'\"\\&*!|>%@#?~ \n\t=<", max_size=60))
def test_any_yaml_like_text_is_data_or_an_input_error(text: str) -> None:
    refused = _error(text.encode())
    if refused:
        assert 1 <= refused.where.line <= text.count("\n") + 2


_WORDS = st.text(alphabet="abcé µ-", min_size=1, max_size=8).map(lambda word: f"w{word.strip()}")
_TREES = st.recursive(
    st.integers(-(10**6), 10**6) | _WORDS | st.booleans(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(_WORDS, below, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_WORDS, _TREES, min_size=1, max_size=4), st.booleans())
def test_positions_point_at_the_values(tree: dict[str, Any], flow: bool) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow, width=30)
    doc = document.parse(text.encode(), FILE)
    assert doc.data == tree
    lines = text.split("\n")
    for path, where in doc.positions.items():
        rest = lines[where.line - 1][where.column - 1 :]
        last = str(path[-1]) if path else ""
        if last.endswith("\0key"):
            assert rest.startswith(last.removesuffix("\0key")[:1])
            continue
        value: Any = tree
        for step in path:
            value = value[step]
        if isinstance(value, bool):
            assert rest.startswith(str(value).lower())
        elif isinstance(value, int):
            assert rest.startswith(str(value))
        elif isinstance(value, str):
            assert rest.startswith(value[:1])


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(pattern="^[a-z]+$", description="small letters")] = "a"
    kind: Literal["one", "two"] = "one"
    some: Annotated[list[int], Field(min_length=1, max_length=2)] = Field(default=[1])
    text: Annotated[str, Field(min_length=2, max_length=4)] = "ab"
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    flag: bool = False


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    schema_: Literal["x/1"] = Field(alias="schema")
    inner: Inner = Inner()
    many: dict[str, Inner] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("text", "place", "problem", "remedy"),
    [
        ("{}", "1:1", "schema: is missing", None),
        ("schema: x/2", "1:9", "schema: 'x/2' is not one of x/1", "did you mean 'x/1'?"),
        ("schema: x/1\nshema: 1", "2:1", "unknown key 'shema'", "did you mean 'schema'?"),
        (
            "schema: x/1\ninner: {code: A1}",
            "2:15",
            "code: must be written in its own form, not 'A1'",
            "write small letters",
        ),
        (
            "schema: x/1\ninner: {code: 12}",
            "2:15",
            "code: must be text, not 12",
            'write it in quotes: "12"',
        ),
        ("schema: x/1\ninner: {text: a}", "2:15", "text: must have at least 2 characters", None),
        ("schema: x/1\ninner: {text: abcde}", "2:15", "text: must have at most 4 characters", None),
        ("schema: x/1\ninner: {some: []}", "2:15", "some: must have at least 1 entry", None),
        ("schema: x/1\ninner: {some: [1, 2, 3]}", "2:15", "some: must have at most 2 entries", None),
        ("schema: x/1\ninner: {some: [1, x]}", "2:19", "1: must be a whole number, not 'x'", None),
        ("schema: x/1\ninner: {some: 3}", "2:15", "some: must be a list, not 3", None),
        ("schema: x/1\ninner: {share: 0}", "2:16", "share: must be more than 0", None),
        ("schema: x/1\ninner: {share: 1.5}", "2:16", "share: must be at most 1", None),
        ("schema: x/1\ninner: {share: much}", "2:16", "share: must be a number, not 'much'", None),
        ("schema: x/1\ninner: {flag: maybe}", "2:15", "flag: must be true or false, not 'maybe'", None),
        ("schema: x/1\nmany: {a: {knd: one}}", "2:12", "unknown key 'knd'", "did you mean 'kind'?"),
    ],
)
def test_models_errors_are_sentences_with_a_place(
    text: str, place: str, problem: str, remedy: str | None
) -> None:
    doc = document.parse(text.encode(), FILE)
    with pytest.raises(InputError) as refused:
        document.validate(doc, Outer)
    where = refused.value.where
    assert (f"{where.line}:{where.column}", refused.value.problem, refused.value.remedy) == (
        place,
        problem,
        remedy,
    )


def test_unknown_key_is_told_before_the_key_that_it_leaves_missing() -> None:
    doc = document.parse(b"shcema: x/1\ninner: {code: 1}", FILE)
    with pytest.raises(InputError, match="unknown key 'shcema'"):
        document.validate(doc, Outer)
