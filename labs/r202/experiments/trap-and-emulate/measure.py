"""The same work in the same guest, under TCG and under KVM: what costs what, where software does it all."""

from __future__ import annotations

import statistics
from typing import Literal

from domains.spec import DomainSpec
from grader.experiments import counting, workloads
from grader.experiments.result import Value
from grader.experiments.stage import Stage
from grader.experiments.workloads import Workload

REPEATS = 3
# Where each begins; rounds are added until a run takes half a second.
WORK: dict[str, tuple[Workload, int]] = {
    "arithmetic": (workloads.ARITHMETIC, 1_000_000),
    "system-calls": (workloads.SYSTEM_CALLS, 1_000),
    "cpuid": (workloads.CPUID, 1_000),
    "port-reads": (workloads.PORT_READS, 1_000),
}
ACCELERATORS: tuple[Literal["tcg", "kvm"], ...] = ("tcg", "kvm")
Found = dict[str, tuple[list[float], float | None]]


def measure(stage: Stage) -> None:
    """Run all work under TCG, and under KVM where this host has it."""
    able = stage.capabilities["kvm"]
    stage.asked(accelerators=list(ACCELERATORS))
    found: dict[str, Found] = {}
    for accelerator in ACCELERATORS:
        if accelerator == "kvm" and able.status != "yes":
            for work in WORK:
                stage.not_measurable(f"{work}-kvm", able.cause or "KVM is not there")
            continue
        found[accelerator] = _under(stage, accelerator)
    stage.ran(accelerators=list(found))
    stage.table("work", [_row(work, found) for work in WORK])
    if "kvm" in found:
        for note, work in (("plain", "arithmetic"), ("trapped", "port-reads")):
            ratio = _median(found, "tcg", work) / _median(found, "kvm", work)
            stage.note(note, ratio=f"{ratio:.2g}")
    else:
        stage.note("software-only", cause=able.cause)


def _under(stage: Stage, accelerator: Literal["tcg", "kvm"]) -> Found:
    spec = DomainSpec.model_validate({"name": "work", "accelerator": accelerator})
    by = stage.emulator_of(accelerator)
    trusted = accelerator == "kvm" and stage.capabilities.has("counters")
    found: Found = {}
    with stage.guest(spec, accelerator=accelerator) as domain:
        for name, (workload, start) in WORK.items():
            rounds = workloads.rounds(domain.guest, workload, start)
            with counting.rising(domain) as rise:
                samples = workloads.nanoseconds(domain.guest, workload, rounds, repeat=REPEATS)
            stage.measure(f"{name}-{accelerator}", samples, emulator=by)
            exits = rise.by["exits"] / (rounds * REPEATS) if trusted and "exits" in rise.by else None
            found[name] = samples, exits
    return found


def _row(work: str, found: dict[str, Found]) -> dict[str, Value]:
    exits = found["kvm"][work][1] if "kvm" in found else None
    return {
        "work": work,
        "tcg": _median(found, "tcg", work),
        "kvm": _median(found, "kvm", work) if "kvm" in found else None,
        "exits": None if exits is None else round(exits, 3),
    }


def _median(found: dict[str, Found], accelerator: str, work: str) -> float:
    return statistics.median(found[accelerator][work][0])
