"""A proof on the terminal: what holds in one line each, what does not with what to do."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

import click

from grader.language.inert import inert
from grader.proof.record import MutantResult, Proof

# Longer lists are for --json.
_MOST = 40


def print_proof(proof: Proof) -> None:
    """Print a proof to stdout; it fits 80 columns where what the author wrote does."""
    for line in lines(proof):
        click.echo(inert(line))


def lines(proof: Proof) -> Iterator[str]:
    """Yield the lines of a proof."""
    students = f"{proof.seeds} student{'s' * (proof.seeds != 1)}"
    yield f"{proof.lab}: {students}, each with a variant of their own"
    yield _line(proof.solution.fraction == 1, f"solution scores {proof.solution.fraction:.0%}")
    yield _line(proof.untouched.fraction == 0, f"untouched workspace scores {proof.untouched.fraction:.0%}")
    for one in proof.wrong:
        is_exact = one.lost == one.expected
        wanted = "" if is_exact else f", and is to lose {', '.join(one.expected) or 'nothing'}"
        wanted += f" ({', '.join(one.needs_lab_host)}: not proved)" if one.needs_lab_host else ""
        yield _line(is_exact, f"{one.name} loses {', '.join(one.lost) or 'nothing'}{wanted}")
    mutants = proof.mutants
    yield _line(not mutants.survived, f"{mutants.killed} of {mutants.generated} mutants are noticed")
    yield from _by_operator(proof)
    if proof.needs_lab_host:
        named = ", ".join(proof.needs_lab_host)
        yield f"Not proved without a lab host: {named} (tdlab verify {proof.lab} --lab-host NAME)"
    if proof.filled_in:
        yield "Not in the recorded evidence, and made up to prove the questions that need it:"
        yield from (f"  {name}" for name in proof.filled_in)
    if proof.problems:
        yield "Problems:"
        yield from (f"  {one}" for one in _first(proof.problems))
    survivors = [one for one in mutants.list_ if not one.killed]
    if survivors:
        yield "Mutants that nobody noticed:"
        for mutant in survivors[:_MOST]:
            yield from _survivor(mutant, proof.seeds)
        if len(survivors) > _MOST:
            yield f"  … and {len(survivors) - _MOST} more: see --json"
    yield f"{proof.lab} {'holds' if proof.holds else 'does not hold yet'}."


def _line(holds: bool, said: str) -> str:
    return f"  {'ok ' if holds else 'NOT'}  {said}"


def _first(said: tuple[str, ...]) -> Iterator[str]:
    yield from said[:_MOST]
    if len(said) > _MOST:
        yield f"… and {len(said) - _MOST} more: see --json"


def _by_operator(proof: Proof) -> Iterator[str]:
    made = Counter(one.operator for one in proof.mutants.list_)
    killed = Counter(one.operator for one in proof.mutants.list_ if one.killed)
    for name, count in made.items():
        yield f"         {killed[name]:>4} of {count:<4} {name}"
    idle: dict[str, list[str]] = {}
    for one in proof.mutants.not_applicable:
        idle.setdefault(one.why, []).append(one.operator)
    for why, names in idle.items():
        said = f"{', '.join(names)}: {why}"
        yield from textwrap.wrap(
            said,
            78,
            initial_indent=" " * 12 + "–         ",
            subsequent_indent=" " * 22,
            break_on_hyphens=False,
        )


def _survivor(one: MutantResult, seeds: int) -> Iterator[str]:
    some = f" (for {len(one.survived_for)} of {seeds})" if len(one.survived_for) < one.students else ""
    example = f": {one.example}" if one.example else ""
    yield f"  {one.question}  {one.operator}: {one.change}{example}{some}"
    yield f"       {one.outcome}; {one.remedy}"
