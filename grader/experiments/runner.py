"""Run one experiment: load its ``measure.py``, give it a stage, and turn whatever happens into a result."""

from __future__ import annotations

import datetime
import importlib.util
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from domains import devices, files, lease
from domains.errors import CapabilityMissing, InfrastructureError, TdlabError
from grader.experiments import needs, stage
from grader.experiments.description import Experiment
from grader.experiments.result import FILE, Result
from grader.experiments.stage import Setting, Stage
from grader.measure.run import Status
from grader.running import execution, interruption
from grader.version import version

Measure = Callable[[Stage], None]


def run(experiment: Experiment, setting: Setting) -> Result:
    """Run an experiment and keep its result as ``experiment.json`` in the folder of the setting.

    A need that is not met ends it as *skipped*, everything that breaks as *error*: ours, never a student's.
    Raises :class:`TdlabError` only when nothing could begin (the host is taken or does not answer).
    """
    setting.folder.mkdir(parents=True, exist_ok=True)
    began, started = time.monotonic(), datetime.datetime.now(datetime.UTC)
    with lease.on(setting.host) as held, interruption.patient():
        _put_back(setting)
        try:
            with stage.opened(experiment, setting) as on:
                environment, outcome = _carried_out(on, setting.repeats)
        except TdlabError as left:
            # What was found stands; what could not be removed now, the next run's sweep removes.
            setting.say(f"could not clean up: {left.problem}")
        if held.broke:
            on.notebook.notes.append(execution.not_alone(setting.host))
    described = experiment.description
    result = Result(
        lab=experiment.lab,
        experiment=experiment.id,
        chapter=described.chapter,
        title=described.title,
        look_at=described.look_at,
        host=setting.host.name,
        emulator=setting.emulator,
        tdlab=version(),
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 3),
        environment=environment,
        stamp=setting.stamp,
        figure=described.figure,
        **outcome,
        **_written(on),
    )
    files.write_whole(setting.folder / FILE, result.to_json())
    return result


def load(experiment: Experiment) -> Measure:
    """Return the function ``measure`` of an experiment's ``measure.py``."""
    name = f"tdlab_experiment_{experiment.lab}_{experiment.id.replace('-', '_')}"
    found = importlib.util.spec_from_file_location(name, experiment.code)
    if found is None or found.loader is None or not experiment.code.is_file():
        raise InfrastructureError(f"{experiment.folder} has no {experiment.code.name}")
    module = importlib.util.module_from_spec(found)
    # Dataclasses look their module up by its name.
    sys.modules[name] = module
    found.loader.exec_module(module)
    measure = getattr(module, "measure", None)
    if not callable(measure):
        raise InfrastructureError(f"{experiment.code} has no function measure(stage)")
    return lambda on: measure(on)


def _put_back(setting: Setting) -> None:
    """Undo what killed runs left changed on the host itself: nothing may be measured on top of it."""
    for leftover in devices.put_back(setting.host):
        setting.say(f"put back: {leftover.name}, changed by a run that was killed")


def _carried_out(on: Stage, repeats: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the environment, and status with cause and remedy."""
    environment: dict[str, Any] = {}
    try:
        if refused := needs.unmet(on):
            return on.environment(), _outcome("skipped", refused.cause, refused.remedy)
        environment = on.environment()
        measure = load(on.experiment)
        for number in range(repeats):
            if number:
                on.notebook.again()
            measure(on)
        return environment, _outcome("measured")
    except CapabilityMissing as missing:
        return environment, _outcome("skipped", missing.problem, missing.remedy)
    except TdlabError as broken:
        return environment, _outcome("error", broken.problem, broken.remedy)
    except Exception as fault:  # noqa: BLE001 - experiments are many: one that is wrong must not end the rest
        on.evidence("traceback.txt", traceback.format_exc())
        cause = f"a fault of the experiment itself: {type(fault).__name__}: {fault}"
        return environment, _outcome("error", cause, "report it with traceback.txt of the run's folder")


def _outcome(status: Status, cause: str | None = None, remedy: str | None = None) -> dict[str, Any]:
    return {"status": status, "cause": cause, "remedy": remedy}


def _written(on: Stage) -> dict[str, Any]:
    book = on.notebook
    return {
        "asked": book.asked,
        "ran": book.ran,
        "measurements": book.measurements,
        "not_measurable": book.not_measurable,
        "tables": book.tables,
        "notes": tuple(book.notes),
        "evidence": tuple(book.evidence),
    }
