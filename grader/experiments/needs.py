"""Whether a host has what an experiment needs, said by the rows of `tdlab doctor`."""

from __future__ import annotations

from domains.capabilities import Refused
from grader.experiments.description import Need
from grader.experiments.stage import Stage


def unmet(stage: Stage) -> Refused | None:
    """Return why this host cannot run the experiment, or None; what is cheap to see is looked at first."""
    needs = stage.experiment.description.needs
    if "kvm-device" in needs and (refused := _device(stage)):
        return refused
    return next((found for need in needs if (found := _row(stage, need))), None)


def _device(stage: Stage) -> Refused | None:
    opened, reason = stage.survey.opened("kvm")
    if opened == "opens":
        return None
    cause = "/dev/kvm is missing" if opened == "missing" else f"/dev/kvm does not open: {reason}"
    return Refused(cause, "use a lab host with KVM, or make one: tdlab host up --emulated")


def _row(stage: Stage, need: Need) -> Refused | None:
    if need == "kvm-device":
        return None
    row = stage.capabilities[need]
    if row.status == "yes":
        return None
    return Refused(f"{need}: {row.cause}", row.remedy or "see `tdlab doctor`")
