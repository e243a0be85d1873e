"""``tdlab demo --full``: the emulated host, the whole matrix and every experiment on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from domains.phases import phase
from grader.measure.matrix import Matrix
from grader.measure.run import Run
from grader.running.execution import Request, execute, say

if TYPE_CHECKING:
    from grader.experiments.description import Experiment
    from grader.experiments.result import Result

NAME = "demo"
EXPERIMENTS = "experiments"
# The chapters of the TD, in the order in which it tells them.
_ORDER = ("processor", "memory", "devices")


@dataclass(frozen=True)
class Whole:
    """What all of it gave: the matrix measured on the emulated host, and the experiments."""

    run: Run
    results: tuple[Result, ...]


def measure(matrix: Matrix, lab: Path, folder: Path, *, resume: bool) -> Whole:
    """Measure the matrix and run the experiments of a lab on an emulated host, which is ended afterwards.

    What ``folder`` holds of a run that was interrupted is not measured again when ``resume``.
    """
    with emulated_host() as host:
        run = execute(Request(matrix, folder, resume, "demo", host=host))
        results = tuple(_experiments(lab, folder / EXPERIMENTS, host, resume=resume))
    return Whole(run, results)


@contextlib.contextmanager
def emulated_host() -> Iterator[str]:
    """Own an emulated host; yield its name. Its saved state stays: the next time takes seconds."""
    from domains import hosts
    from domains.emulated import emulator, lifecycle, plan
    from grader.commands.host import libvirt

    with phase("choose (or build) a QEMU"):
        chosen = emulator.choose(say)
    with libvirt() as connection:
        with phase("emulated host up"):
            lifecycle.up(connection, plan.HostPlan(NAME, "", ""), chosen, say, hosts.furnish)
        try:
            yield NAME
        finally:
            with phase("emulated host down"):
                lifecycle.down(connection, NAME)


def _experiments(lab: Path, folder: Path, host_name: str, *, resume: bool) -> Iterator[Result]:
    from domains import hosts
    from grader.experiments import description, place, runner
    from grader.experiments.stage import Setting

    host, emulator = place.resolve(host_name)
    setting = Setting(host, folder, say, emulator, emulator is not None, second_host=True)
    for experiment in _in_order(list(description.find_all(lab))):
        kept = folder / experiment.id
        if resume and (done := _done(kept)):
            yield done
            continue
        say(f"experiment {experiment.id}")
        with phase(f"experiment {experiment.id}"):
            found = runner.run(experiment, replace(setting, folder=kept))
            if found.status == "error" and hosts.revive(host, say):
                found = runner.run(experiment, replace(setting, folder=kept))
            yield found


def _in_order(experiments: Sequence[Experiment]) -> list[Experiment]:
    return sorted(experiments, key=lambda one: (_ORDER.index(one.description.chapter), one.id))


def _done(folder: Path) -> Result | None:
    """Return the result of an experiment that need not be run again, or None."""
    from domains.errors import UsageError
    from grader.experiments import result as results

    with contextlib.suppress(UsageError, FileNotFoundError):
        found = results.read(folder / results.FILE)
        return found if found.status != "error" else None
    return None
