"""``tdlab try-answer``: what the grader makes of a short text, before any student writes one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import click

from domains.errors import EXIT_DONE, EXIT_PARTLY_DONE, UsageError
from grader.language import LANGUAGES, Lang

if TYPE_CHECKING:
    from grader.checks.reading.judging import Judgement
    from grader.lab.lab import Lab
    from grader.lab.questions import TextQuestion

# Longer lines hold no short answer.
_LONGEST_LINE = 1_000_000


@click.command("try-answer")
@click.argument("lab")
@click.argument("question", required=False)
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="The language of hints.")
@click.option(
    "--jsonl",
    is_flag=True,
    help="Read {id, question, lang, answer} a line, write a mark a line.",
)
def command(lab: str, question: str | None, lang: Lang, jsonl: bool) -> int:
    """Judge a text on standard input as an answer to QUESTION of LAB, and say why."""
    from grader.lab import lab as labs

    known = labs.load_whole(labs.find(lab))
    if jsonl:
        if question is not None:
            raise UsageError("each line names its own question", remedy="leave QUESTION out with --jsonl")
        return _lines(known, lang)
    asked = _question(known, question)
    text = sys.stdin.buffer.read().decode("utf-8", errors="replace")
    _explain(asked, text, lang)
    return EXIT_DONE


def _lines(lab: Lab, lang: Lang) -> int:
    broken = 0
    for number, raw in enumerate(_read_lines(sys.stdin.buffer), start=1):
        if raw is not None and not raw.strip():
            continue
        row = _row(lab, raw, number, lang)
        broken += "error" in row
        # ASCII, for an answer's id may hold half a character.
        click.echo(json.dumps(row))
    return EXIT_PARTLY_DONE if broken else EXIT_DONE


def _read_lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Yield lines; None for one that is too long, which is read past and never kept."""
    while line := stream.readline(_LONGEST_LINE):
        if line.endswith(b"\n") or len(line) < _LONGEST_LINE:
            yield line
            continue
        while (more := stream.readline(_LONGEST_LINE)) and not more.endswith(b"\n"):
            pass
        yield None


def _row(lab: Lab, raw: bytes | None, number: int, lang: Lang) -> dict[str, Any]:
    """Judge one line; what is wrong with it is said in its own output line."""
    if raw is None:
        return {"id": None, "line": number, "error": "the line is too long"}
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as bad:
        return {"id": None, "line": number, "error": f"not JSON: {bad}"}
    if not isinstance(data, dict):
        return {"id": None, "line": number, "error": "a line is one JSON object"}
    name = data.get("id")
    try:
        question = _question(lab, data.get("question"))
        answer = data.get("answer")
        if not isinstance(answer, str):
            raise UsageError("answer: a text is expected")
        wanted = data.get("lang", lang)
        if wanted not in LANGUAGES:
            raise UsageError(f"lang: {wanted!r} is not one of {', '.join(LANGUAGES)}")
    except UsageError as bad:
        return {"id": name, "line": number, "error": " ".join(str(bad).split())}
    return {"id": name, **_judged(question, answer, wanted)}


def _judged(question: TextQuestion, answer: str, lang: Lang) -> dict[str, Any]:
    from grader.checks import text
    from grader.checks.reading.judging import judge

    found = judge(question, answer)
    return {
        "fraction": found.fraction,
        "decided": "alone" if found.alone else "review",
        "ideas": list(found.said()),
        "wrong_ideas": list(found.said_wrong()),
        "why": text.reason(question, found, lang),
    }


def _question(lab: Lab, name: object) -> TextQuestion:
    from domains import document
    from grader.lab.questions import TextQuestion

    texts = {one.id: one for one in lab if isinstance(one, TextQuestion)}
    if name is None:
        raise UsageError("no question is named", remedy=f"name one of: {', '.join(texts)}")
    if isinstance(name, str) and name in texts:
        return texts[name]
    guess = document.nearest(str(name)[:64], texts)
    is_other = isinstance(name, str) and lab.question(name) is not None
    raise UsageError(
        f"question {name} takes no text" if is_other else f"unknown question {str(name)[:64]!r}",
        remedy=f"did you mean {guess!r}?" if guess else f"name one of: {', '.join(texts)}",
    )


def _explain(question: TextQuestion, answer: str, lang: Lang) -> None:
    from grader.checks import text, words
    from grader.checks.reading.judging import judge
    from grader.language.bilingual import decimal
    from grader.language.inert import inert

    found = judge(question, answer)
    mark = words.MARKED_ALONE if found.alone else words.MARKED_BY_TEACHER
    points = decimal(question.points * found.fraction, lang)
    click.echo(mark.say(lang, points=points, max=decimal(question.points, lang)))
    for line in _seen(question, found, lang):
        click.echo(f"  {inert(line)}")
    click.echo(text.reason(question, found, lang))
    if found.fraction < 1:
        click.echo(text.feedback(question, found, lang))


def _seen(question: TextQuestion, found: Judgement, lang: Lang) -> Iterator[str]:
    from grader.checks import words
    from grader.checks.reading.finding import State

    right = {one.id: one for one in found.ideas}
    for idea in question.ideas:
        seen = right.get(idea.id)
        if seen is None:
            yield words.NOT_SEEN.say(lang, id=idea.id)
        else:
            said = words.SEEN_IN if seen.state is State.SAID else words.SEEN_DENIED
            yield said.say(lang, id=idea.id, words=seen.words)
    for wrong in found.wrong_ideas:
        if wrong.state is State.SAID:
            yield words.SEEN_WRONG.say(lang, id=wrong.id, words=wrong.words)
