"""Mutants of a lab's solution: each has one thing made wrong, which some check must notice."""

from __future__ import annotations

from grader.proof.mutants import choosing, doing, guests, measures, numbers, predictions, texts
from grader.proof.mutants.mutant import Kind

KINDS: tuple[Kind, ...] = (
    *choosing.KINDS,
    *numbers.KINDS,
    *texts.KINDS,
    *measures.KINDS,
    *predictions.KINDS,
    *guests.KINDS,
    *doing.KINDS,
)
