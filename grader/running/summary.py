"""From a journal to a run: a pure function of what is on disk, so that a report can always be made again."""

from __future__ import annotations

from typing import Any

from grader.measure.cell import asked
from grader.measure.counters import NOT_UNDER_TCG
from grader.measure.matrix import Cell, Matrix
from grader.measure.run import METRICS, CellResult, ExitReasons, Measurement, Run, Status
from grader.measure.summary import measurement
from grader.running import tracing
from grader.running.journal import Journal


def summarise(journal: Journal, matrix: Matrix) -> Run:
    """Return the run that a journal holds, in the order of the matrix.

    A cell that nothing is known about is an error: a result is expected for every cell.
    """
    told: dict[str, list[dict[str, Any]]] = {}
    for line in journal.lines("cell"):
        told.setdefault(line["cell"], []).append(line)
    rounds: dict[str, dict[int, dict[str, Any]]] = {}
    for line in journal.lines("round"):
        rounds.setdefault(line["cell"], {})[line["round"]] = line
    hosts = journal.lines("environment")
    host = hosts[-1] if hosts else {}
    reasons, why = tracing.read(journal)
    plan = journal.plan
    return Run(
        id=plan["id"],
        title=matrix.title,
        started=plan["started"],
        tdlab=plan["tdlab"],
        stamp=plan.get("stamp"),
        notes=tuple(dict.fromkeys(line["text"] for line in journal.lines("note"))),
        workload=matrix.workload.model_dump(),
        environment=host.get("environment", {}) | _accelerator(host),
        cells=tuple(
            _by_reason(_cell(cell, told.get(cell.id, []), rounds.get(cell.id, {}), matrix), reasons, why)
            for cell in matrix.cells
        ),
    )


def _accelerator(host: dict[str, Any]) -> dict[str, Any]:
    return {"accelerator": host["accelerator"], "accelerator_why": host["why"]} if host else {}


def _cell(
    cell: Cell, told: list[dict[str, Any]], rounds: dict[int, dict[str, Any]], matrix: Matrix
) -> CellResult:
    if not told:
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
    # A guest of a cell that has all its rounds may have been started once more, in vain.
    facts = next((line for line in reversed(told) if whole and line["status"] == "measured"), told[-1])
    boots = [line["boot_to_ready"] for line in told if "boot_to_ready" in line]
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


def _by_reason(cell: CellResult, reasons: dict[str, ExitReasons], why: dict[str, str]) -> CellResult:
    """Return a measured cell with its exits by hardware reason, or with the cause why it has none."""
    if cell.status != "measured":
        return cell
    if found := reasons.get(cell.id):
        return cell.model_copy(update={"exit_reasons": found})
    cause = why.get(cell.id, "the run ended before exits were counted by reason")
    if cell.ran.get("accelerator") == "tcg":
        cause = NOT_UNDER_TCG
    return cell.model_copy(update={"not_measurable": cell.not_measurable | {tracing.KIND: cause}})


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
