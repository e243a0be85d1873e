"""What a proof says (schema ``tdlab.verify/1``): the samples, the mutants, and what is wrong."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from grader.measure.run import Record


class Fraction(Record):
    """The part of all points that is earned: by the solution at worst, by an untouched workspace at best."""

    fraction: float


class WrongSample(Record):
    """What a wrong sample lost, and what its ``wrong.yaml`` says that it loses.

    ``needs_lab_host`` are those that it is to lose and only a lab host can tell, where none was given.
    """

    name: str
    lost: tuple[str, ...]
    expected: tuple[str, ...]
    needs_lab_host: tuple[str, ...] = ()


class MutantResult(Record):
    """One mutant over all students: who noticed, with what outcome; nobody when it survived."""

    operator: str
    question: str
    change: str
    example: str = ""
    killed: bool
    killed_by: str = ""
    outcome: str = ""
    students: int = 1
    survived_for: tuple[str, ...] = ()
    remedy: str = ""


class NotApplicable(Record):
    """An operator for which the lab has no question."""

    operator: str
    why: str


class Mutants(Record):
    """All mutants, counted once each however many students had them."""

    generated: int
    killed: int
    survived: int
    list_: tuple[MutantResult, ...] = Field(alias="list")
    not_applicable: tuple[NotApplicable, ...] = ()


class Proof(Record):
    """What ``tdlab verify --json`` prints."""

    schema_: Literal["tdlab.verify/1"] = Field(default="tdlab.verify/1", alias="schema")
    lab: str
    lab_hash: str
    seeds: int
    solution: Fraction
    untouched: Fraction
    wrong: tuple[WrongSample, ...]
    mutants: Mutants
    # Questions that only a lab host can answer, where none was given: neither proved nor counted.
    needs_lab_host: tuple[str, ...] = ()
    # What the recorded evidence lacks, and was made up to prove the questions that need it.
    filled_in: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the lab does what its author says."""
        return not self.problems and not self.mutants.survived
