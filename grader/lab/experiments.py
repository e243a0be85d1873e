"""What a question says of an experiment, held against the experiment's own description."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from domains import document
from domains.document import Document
from domains.errors import UsageError
from grader.experiments import description
from grader.experiments.description import Description, Table
from grader.lab.practical import Cell, ExperimentQuestion

_Path = tuple[str | int, ...]


def refuse_unknown(doc: Document, at: _Path, question: ExperimentQuestion, folder: Path) -> None:
    """Refuse, with its position, an experiment, a measure or a table that the lab does not have."""
    try:
        described = description.find(folder, question.experiment).description
    except UsageError as missing:
        raise doc.error((*at, "experiment"), missing.problem, missing.remedy) from missing
    for number, claim in enumerate(question.claims):
        here = (*at, "claims", number)
        for where, operand in claim.operands:
            if isinstance(operand, str):
                _known(doc, (*here, *where), operand, described.measures, "measure")
            elif isinstance(operand, Cell):
                place = (*here, *where)
                columns = _table(doc, (*place, "table"), operand.table, described).columns
                _known(doc, (*place, "column"), operand.column, columns, "column")
                _known(doc, (*place, "where", "column"), operand.where.column, columns, "column")
        if row := claim.row:
            columns = _table(doc, (*here, "row", "table"), row.table, described).columns
            _known(doc, (*here, "row", "column"), row.column, columns, "column")
            if row.where:
                _known(doc, (*here, "row", "where", "column"), row.where.column, columns, "column")


def _table(doc: Document, at: _Path, name: str, described: Description) -> Table:
    _known(doc, at, name, described.tables, "table")
    return described.tables[name]


def _known(doc: Document, at: _Path, name: str, among: Iterable[str], kind: str) -> None:
    among = list(among)
    if name not in among:
        guess = document.nearest(name, among)
        remedy = f"did you mean {guess!r}?" if guess else f"one of: {', '.join(among) or 'none'}"
        raise doc.error(at, f"the experiment describes no {kind} {name!r}", remedy)
