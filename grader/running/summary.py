"""From a journal to a run: a pure function of what is on disk, so that a report can always be made again."""

from __future__ import annotations

from typing import Any

from grader.measure.cell import asked
from grader.measure.counters import NOT_UNDER_TCG
from grader.measure.matrix import Cell, Matrix
from grader.measure.run import METRICS, CellResult, Measurement, Run, Status
from grader.measure.summary import measurement
from grader.running.journal import Journal


def summarise(journal: Journal, matrix: Matrix) -> Run:
    """Return the run that a journal holds, in the order of the matrix.

    A cell that nothing is known about is an error: a result is expected for every cell.
    """
    facts: dict[str, dict[str, Any]] = {}
    boots: dict[str, list[float]] = {}
    for line in journal.lines("cell"):
        facts[line["cell"]] = line
        if "boot_to_ready" in line:
            boots.setdefault(line["cell"], []).append(line["boot_to_ready"])
    rounds: dict[str, dict[int, dict[str, Any]]] = {}
    for line in journal.lines("round"):
        rounds.setdefault(line["cell"], {})[line["round"]] = line
    hosts = journal.lines("environment")
    host = hosts[-1] if hosts else {}
    plan = journal.plan
    return Run(
        id=plan["id"],
        title=matrix.title,
        started=plan["started"],
        tdlab=plan["tdlab"],
        workload=matrix.workload.model_dump(),
        environment=host.get("environment", {}) | _accelerator(host),
        cells=tuple(
            _cell(cell, facts.get(cell.id), boots.get(cell.id, []), rounds.get(cell.id, {}), matrix)
            for cell in matrix.cells
        ),
    )


def _accelerator(host: dict[str, Any]) -> dict[str, Any]:
    return {"accelerator": host["accelerator"], "accelerator_why": host["why"]} if host else {}


def _cell(
    cell: Cell,
    facts: dict[str, Any] | None,
    boots: list[float],
    rounds: dict[int, dict[str, Any]],
    matrix: Matrix,
) -> CellResult:
    if facts is None:
        return CellResult(
            id=cell.id,
            spec=cell.spec,
            asked=asked(cell.spec),
            status="error",
            cause="nothing was measured: the run ended before its turn",
            remedy="use --resume",
        )
    ordered = [rounds[number] for number in sorted(rounds)]
    whole = len(ordered) >= matrix.workload.repeats
    status: Status = "measured" if whole else facts["status"] if facts["status"] != "measured" else "error"
    measurements, missing = _measurements(ordered, facts, boots if whole else [])
    cause: str | None = None if whole else facts.get("cause")
    remedy: str | None = None if whole else facts.get("remedy")
    if status == "error" and cause is None:
        cause, remedy = f"{len(ordered)} of {matrix.workload.repeats} rounds were measured", "use --resume"
    return CellResult(
        id=cell.id,
        spec=cell.spec,
        asked=facts.get("asked", {}),
        ran=facts.get("ran", {}),
        status=status,
        cause=cause,
        remedy=remedy,
        measurements=measurements,
        not_measurable=missing,
        xml=facts.get("xml"),
    )


def _measurements(
    rounds: list[dict[str, Any]], facts: dict[str, Any], boots: list[float]
) -> tuple[dict[str, Measurement], dict[str, str]]:
    samples: dict[str, list[float]] = {}
    warmups: dict[str, list[float]] = {}
    missing: dict[str, str] = {}
    for one in rounds:
        missing.update(one["not_measurable"])
        for metric, value in one["samples"].items():
            samples.setdefault(metric, []).append(value)
        for metric, value in one["warmups"].items():
            warmups.setdefault(metric, []).append(value)
    if boots:
        samples["boot_to_ready"] = boots
    if facts.get("ran", {}).get("accelerator") == "tcg":
        missing = {metric: NOT_UNDER_TCG if "exit" in metric else cause for metric, cause in missing.items()}
        for metric in ("irq_injections_per_mb", "page_faults_per_mb"):
            if metric in missing:
                missing[metric] = NOT_UNDER_TCG
    found = {
        metric: measurement(metric, samples[metric], warmups.get(metric, ()))
        for metric in METRICS
        if metric in samples
    }
    return found, {metric: cause for metric, cause in missing.items() if metric not in found}
