"""Work that changes page tables, and work that does not, with EPT/RVI on and off in the host's KVM."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from domains.devices import modules
from domains.errors import CapabilityMissing
from domains.guest import Guest
from domains.lifecycle import Domain
from domains.spec import DomainSpec
from grader.experiments import counting, workloads
from grader.experiments.result import Value
from grader.experiments.stage import Stage

REPEATS = 3
FORKS = 300
# By path, so that the shell starts a program and does not take its own built-in "true".
FORK_LOOP = f"(i=0; while [ $i -lt {FORKS} ]; do /bin/busybox true; i=$((i + 1)); done)"
MAPPINGS, SUMS = 1_000, 200_000_000

Work = Callable[[Guest], float]
WORK: dict[str, Work] = {
    "fork": lambda guest: workloads.timed(guest, FORK_LOOP, timeout=300),
    "mapping": lambda guest: workloads.seconds(guest, workloads.MAPPING, MAPPINGS, timeout=300),
    "arithmetic": lambda guest: workloads.seconds(guest, workloads.ARITHMETIC, SUMS, timeout=300),
}
COUNTERS = {"faults": "pf_taken", "exits": "exits", "zapped": "mmu_shadow_zapped"}


@dataclass
class Done:
    """What one work took, once for each time that it was done: seconds, and the rise of each counter."""

    seconds: list[float] = field(default_factory=list)
    rises: list[dict[str, int]] = field(default_factory=list)

    def median(self, counter: str) -> float | None:
        """Return the median rise of a counter, or None where this host has no such counter."""
        found = [rise[counter] for rise in self.rises if counter in rise]
        return statistics.median(found) if found else None


def measure(stage: Stage) -> None:
    """Measure with the tables that the host has now, then with the others."""
    untrusted = None if stage.capabilities.has("counters") else stage.capabilities["counters"].cause
    module, _ = modules.parameters(stage.host)
    parameter = modules.TWO_TABLES[module]
    now = modules.two_tables(stage.host)
    stage.asked(parameter=parameter, states=["on", "off"])
    found: dict[str, dict[str, Done]] = {}
    for state in (now, not now):
        name = "on" if state else "off"
        try:
            found[name] = _with_tables(stage, parameter, state, change=state != now)
        except CapabilityMissing as missing:
            for work in WORK:
                stage.not_measurable(f"{work}-time-{name}", missing.problem)
    stage.ran(parameter=parameter, states=sorted(found, reverse=True))
    for name, works in found.items():
        _keep(stage, name, works, untrusted)
    rows = [_row(work, name, found[name][work]) for work in WORK for name in ("on", "off") if name in found]
    stage.table("work", rows)
    if len(found) == 2:
        for work in WORK:
            stage.note(work, ratio=f"{_ratio(found, work):.2g}")


def _with_tables(stage: Stage, parameter: str, on: bool, *, change: bool) -> dict[str, Done]:
    change_it = stage.module_parameters({parameter: str(int(on))}) if change else contextlib.nullcontext()
    spec = DomainSpec.model_validate({"name": f"tables-{'on' if on else 'off'}", "accelerator": "kvm"})
    with change_it, stage.guest(spec, accelerator="kvm") as domain:
        return {name: _repeated(domain, work) for name, work in WORK.items()}


def _repeated(domain: Domain, work: Work) -> Done:
    done = Done()
    work(domain.guest)  # once unmeasured: the programs are read, and the host has given the memory
    for _ in range(REPEATS):
        with counting.rising(domain) as rise:
            done.seconds.append(work(domain.guest))
        done.rises.append(rise.by)
    return done


def _keep(stage: Stage, name: str, works: dict[str, Done], untrusted: str | None) -> None:
    for work, done in works.items():
        stage.measure(f"{work}-time-{name}", done.seconds, emulator=stage.imitated_by)
        for measure, counter in COUNTERS.items():
            rises = [rise[counter] for rise in done.rises if counter in rise]
            if untrusted or not rises:
                stage.not_measurable(f"{work}-{measure}-{name}", untrusted or f"QEMU reports no {counter}")
            else:
                stage.measure(f"{work}-{measure}-{name}", rises)


def _row(work: str, name: str, done: Done) -> dict[str, Value]:
    counted = {measure: done.median(counter) for measure, counter in COUNTERS.items()}
    whole = {measure: None if value is None else int(value) for measure, value in counted.items()}
    return {"work": work, "tables": name, "seconds": statistics.median(done.seconds), **whole}


def _ratio(found: dict[str, dict[str, Done]], work: str) -> float:
    return statistics.median(found["off"][work].seconds) / statistics.median(found["on"][work].seconds)
