"""A transcript: commands and what they printed, read as lines of text and as nothing else."""

from __future__ import annotations

import codecs
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from grader.checks.practical import words
from grader.checks.verdict import Context, graded, result
from grader.lab.practical import Shown, TranscriptQuestion
from grader.language import causes
from grader.language.bilingual import listed
from grader.language.inert import one_line
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.answers import Answer

# The authors' patterns see no longer line than this, and no more lines: what they cost is bounded.
_LONGEST_LINE = 2000
_MOST_LINES = 5000
_MOST_VALUES = 200
# What a terminal acts on; `script` keeps it.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_PROMPT = re.compile(r"[^$#%❯]{0,120}[$#%❯][ \t\xa0](\S.*)")


@dataclass
class Command:
    """One command line, and the lines that it printed."""

    line: str
    output: list[str] = field(default_factory=list)


def parse(raw: bytes) -> list[Command]:
    """Return the commands of a transcript; lines before the first command line are left out."""
    encoding = "utf-16" if raw[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8"
    plain = _ESCAPES.sub("", raw.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n"))
    # What was pasted into Markdown stands further right, all of it.
    text = textwrap.dedent(plain)
    found: list[Command] = []
    for line in text.splitlines():
        cut = line[:_LONGEST_LINE].rstrip()
        if prompt := _PROMPT.fullmatch(cut):
            found.append(Command(prompt[1]))
        elif found:
            found[-1].output.append(cut)
    return found


def check_transcript(question: TranscriptQuestion, answer: Answer, context: Context) -> CheckResult:
    """Give a part of the points for each thing that the output shows; what is forbidden takes them all."""
    lang, file = context.lang, question.file
    expected = listed((one.means.say(lang) for one in question.shows), lang)
    names = {"file": file, "example": question.example}
    if not isinstance(answer.value, bytes):
        hint = causes.said(answer.note, lang) or words.TRANSCRIPT_MISSING.say(lang, file=file)
        return result(question, Outcome.FAIL, expected=expected, hint=hint)
    if answer.value.count(b"\n") > _MOST_LINES:
        hint = words.TOO_LONG.say(lang, file=file, lines=_MOST_LINES)
        return result(question, Outcome.FAIL, expected=expected, hint=hint)
    commands = parse(answer.value)
    wanted = [one for one in commands if re.search(question.command, one.line)]
    if not wanted:
        said = (words.OTHER_COMMAND if commands else words.NO_COMMAND).say(lang, **names)
        return result(question, Outcome.FAIL, expected=expected, actual=_lines(commands), hint=said)
    lines = [line for one in wanted for line in one.output]
    for one in question.forbidden:
        if any(re.search(one.pattern, line) for line in lines):
            hint = one.feedback.say(lang)
            return result(question, Outcome.FAIL, expected=expected, actual=_lines(wanted), hint=hint)
    shown = {one.id: _matches(one, lines) for one in question.shows}
    hints = [
        words.NOT_SHOWN.say(lang, file=file, means=one.means.say(lang))
        for one in question.shows
        if not shown[one.id]
    ]
    for name, values in _disagreements(shown).items():
        hints.append(words.DISAGREES.say(lang, file=file, name=name, values=one_line(", ".join(values))))
        for key, matches in shown.items():
            shown[key] = [match for match in matches if name not in match.groupdict()]
    seen = [
        Evidence(source=file, seen=f"{key}: {match.string.strip()}")
        for key, found in shown.items()
        for match in found[:1]
    ]
    fraction = sum(bool(matches) for matches in shown.values()) / len(shown)
    hint = " ".join((*hints, question.hint.say(lang))) if hints else ""
    return graded(question, fraction, expected=expected, actual=_lines(wanted), hint=hint, evidence=seen)


def _matches(shown: Shown, lines: Sequence[str]) -> list[re.Match[str]]:
    pattern = re.compile(shown.pattern)
    found: list[re.Match[str]] = []
    for line in lines:
        if len(found) == _MOST_VALUES:
            break
        if match := pattern.search(line):
            found.append(match)
    return found


def _disagreements(shown: dict[str, list[re.Match[str]]]) -> dict[str, list[str]]:
    """Return the named groups that no one value fits in all places, with the values found."""
    places: dict[str, list[set[str]]] = {}
    for matches in shown.values():
        for name in {name for match in matches for name in match.groupdict()}:
            values = {match.groupdict().get(name) or "" for match in matches}
            places.setdefault(name, []).append(values - {""})
    return {
        name: sorted(set().union(*sets))[:4]
        for name, sets in places.items()
        if len(sets) > 1 and not set.intersection(*sets)
    }


def _lines(commands: Sequence[Command]) -> str:
    return "\n".join(f"$ {one.line}" for one in commands[:10])
