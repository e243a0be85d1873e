"""Mutants of what is answered by doing: orders, transcripts, the state of a host, experiments."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from grader.checks.practical.transcript import parse
from grader.lab.practical import More
from grader.lab.questions import (
    CodeQuestion,
    ExperimentQuestion,
    FileQuestion,
    HostQuestion,
    OrderQuestion,
    TranscriptQuestion,
)
from grader.proof.mutants.mutant import Kind, Mutant, Solved
from grader.submission.answers import Answer

# A number that no measure comes near, and no author asks for.
_FAR = 1000.0


def _with(solved: Solved, operator: str, question: FileQuestion, raw: bytes | None, change: str) -> Mutant:
    files = dict(solved.submission.files) | {question.file: Answer(raw)}
    made = dataclasses.replace(solved.submission, files=MappingProxyType(files))
    return Mutant(operator, (question.id,), change, made)


def _exchanged(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(OrderQuestion):
        # By measures, neighbours may be alike, and then either order is right.
        for at in range(len(question.right) - 1):
            other = list(question.right)
            other[at], other[at + 1] = other[at + 1], other[at]
            change = f"exchanged {other[at + 1]} and {other[at]}"
            yield solved.answering("order-exchanged", question, other, change)


def _reversed(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(OrderQuestion):
        given = solved.value(question)
        if isinstance(given, list):
            yield solved.answering("order-reversed", question, given[::-1], "the other way round")


def _incomplete(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(OrderQuestion):
        given = solved.value(question)
        if isinstance(given, list):
            yield solved.answering("order-incomplete", question, given[:-1], "the last one left out")
            twice = [*given[:-1], given[0]]
            yield solved.answering("order-incomplete", question, twice, "the first one twice")


def _missing(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions((TranscriptQuestion, HostQuestion, ExperimentQuestion)):
        yield _with(solved, "file-missing", question, None, f"{question.file} is missing")
        yield _with(solved, "file-missing", question, b"", f"{question.file} is empty")


def _transcript(solved: Solved) -> Iterator[tuple[TranscriptQuestion, str]]:
    for question in solved.questions(TranscriptQuestion):
        if isinstance(raw := solved.value(question), bytes):
            yield question, raw.decode("utf-8", "replace")


def _other_command(solved: Solved) -> Iterator[Mutant]:
    for question, text in _transcript(solved):
        for command in parse(text.encode()):
            text = text.replace(command.line, "true")
        yield _with(solved, "other-command", question, text.encode(), "under another command")


def _not_shown(solved: Solved) -> Iterator[Mutant]:
    for question, text in _transcript(solved):
        for shown in question.shows:
            kept = [line for line in text.splitlines() if not re.search(shown.pattern, line)]
            raw = "\n".join(kept).encode()
            yield _with(solved, "output-missing", question, raw, f"without the lines of {shown.id}")


def _facts(solved: Solved) -> Iterator[tuple[HostQuestion, dict[str, Any]]]:
    for question in solved.questions(HostQuestion):
        if isinstance(raw := solved.value(question), bytes):
            yield question, json.loads(raw)


def _other_fact(solved: Solved) -> Iterator[Mutant]:
    for question, found in _facts(solved):
        for fact in question.facts:
            changed = json.loads(json.dumps(found))
            for one in changed["found"]:
                if (one["kind"], one["name"]) == fact.about:
                    one["seen"] = {key: _otherwise(value) for key, value in one["seen"].items()}
                    one["contains"] = {key: not value for key, value in one.get("contains", {}).items()}
                    one["arguments"] = {key: not value for key, value in one.get("arguments", {}).items()}
            raw = json.dumps(changed).encode()
            yield _with(solved, "host-otherwise", question, raw, f"{fact.id} is not so")


def _otherwise(value: object) -> object:
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else f"{value}-other"


def _results(solved: Solved) -> Iterator[tuple[ExperimentQuestion, dict[str, Any]]]:
    for question in solved.questions(ExperimentQuestion):
        if isinstance(raw := solved.value(question), bytes):
            yield question, json.loads(raw)


def _elsewhere(solved: Solved) -> Iterator[Mutant]:
    for question, found in _results(solved):
        for key in ("lab", "experiment"):
            raw = json.dumps(found | {key: "another"}).encode()
            yield _with(solved, "experiment-elsewhere", question, raw, f"the result of another {key}")


def _other_ran(solved: Solved) -> Iterator[Mutant]:
    for question, found in _results(solved):
        both = sorted(found.get("asked", {}).keys() & found.get("ran", {}).keys())
        for key in both:
            ran = found["ran"] | {key: "another"}
            change = f"{key}: something else ran than was asked for"
            yield _with(
                solved, "experiment-other-ran", question, json.dumps(found | {"ran": ran}).encode(), change
            )


def _claims(solved: Solved) -> Iterator[Mutant]:
    """Make the first measure of each claim such that it cannot hold."""
    for question, found in _results(solved):
        measured = found.get("measurements", {})
        for claim in question.claims:
            operand = next((one for _, one in claim.operands[:1]), None)
            if isinstance(operand, str) and operand in measured:
                value = _too_little(claim.more, measured) if claim.more else measured[operand]["median"] + 1
                one = measured[operand] | _constant(value if claim.more else value * _FAR, measured[operand])
                changed = found | {"measurements": measured | {operand: one}}
                change = f"{operand} is such that {claim.id} does not hold"
                yield _with(solved, "claim-broken", question, json.dumps(changed).encode(), change)
            if claim.row:
                changed = found | {"tables": _without_rows(found.get("tables", {}), claim.row.table)}
                change = f"{claim.row.table} without its rows"
                yield _with(solved, "claim-broken", question, json.dumps(changed).encode(), change)


def _too_little(claim: More, measured: dict[str, Any]) -> float:
    """Return less than a claim asks for: nothing at all, where what it is compared with is nothing."""
    than = measured.get(claim.than, {}).get("samples") if isinstance(claim.than, str) else [claim.than]
    lowest = min((one for one in than or () if isinstance(one, int | float)), default=0.0)
    return 0.4 * claim.times * lowest


def _constant(value: float, old: dict[str, Any]) -> dict[str, Any]:
    samples = [value] * len(old["samples"])
    return {"samples": samples, "median": value, "ci95": [value, value] if old.get("ci95") else None}


def _without_rows(tables: dict[str, Any], name: str) -> dict[str, Any]:
    return tables | {name: tables[name] | {"rows": []}} if name in tables else tables


def _contradicted(solved: Solved) -> Iterator[Mutant]:
    for question, found in _results(solved):
        for name, one in found.get("measurements", {}).items():
            other = one | {"median": one["median"] * 2 + 1}
            changed = found | {"measurements": found["measurements"] | {name: other}}
            change = f"another median of {name}, under its own samples"
            yield _with(solved, "experiment-contradicted", question, json.dumps(changed).encode(), change)


def _code(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(CodeQuestion):
        if question.file is None:
            for value, change in ((None, "no answer"), ("?!", "an answer that makes no sense")):
                yield solved.answering("code-nonsense", question, value, change)
            continue
        for raw, change in ((None, "is missing"), (b"", "is empty"), (b"?!\n", "makes no sense")):
            files = dict(solved.submission.files) | {question.file: Answer(raw)}
            made = dataclasses.replace(solved.submission, files=MappingProxyType(files))
            yield Mutant("code-nonsense", (question.id,), f"{question.file} {change}", made)


_NO_ORDER, _NO_EXPERIMENT = "no order", "no experiment"
_OURS = "tdlab let it through: please report it"
KINDS = (
    Kind("code-nonsense", _code, "no question that a test of its own judges", "see checks/test_*.py"),
    Kind("order-exchanged", _exchanged, "no order of the author's", "see the question's `right`"),
    Kind("order-reversed", _reversed, _NO_ORDER, "see the question's `right`, or what is `measured`"),
    Kind("order-incomplete", _incomplete, _NO_ORDER, _OURS),
    Kind("file-missing", _missing, "no transcript, host or experiment", _OURS),
    Kind("other-command", _other_command, "no transcript", "make the pattern of `command` narrower"),
    Kind("output-missing", _not_shown, "no transcript", "a pattern of `shows` fits more than its line"),
    Kind("host-otherwise", _other_fact, "no state of a host", "say more of the fact: running, mode, value"),
    Kind("experiment-elsewhere", _elsewhere, _NO_EXPERIMENT, _OURS),
    Kind("experiment-other-ran", _other_ran, _NO_EXPERIMENT, _OURS),
    Kind("claim-broken", _claims, _NO_EXPERIMENT, "the claim is too wide: see its `times` or `within`"),
    Kind("experiment-contradicted", _contradicted, _NO_EXPERIMENT, _OURS),
)
