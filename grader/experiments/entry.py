"""An entry into a guest that the CPU refuses, and what the kernel prints of it: the VMCS, or AMD's VMCB."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains.devices import modules
from domains.errors import InfrastructureError
from grader.experiments.stage import Stage

_DUMPS = {"kvm_amd": "dump_invalid_vmcb", "kvm_intel": "dump_invalid_vmcs"}


@dataclass(frozen=True)
class RefusedEntry:
    """Which module printed, whether its dump was on, what KVM returned, and the kernel log since then."""

    module: str
    dump_is_on: bool
    entered: dict[str, Any]
    log: str


def refused_entry(stage: Stage, program: Path) -> RefusedEntry:
    """Run the program that enters a guest which cannot be, with the kernel told to print its state.

    Loads KVM's module anew, and puts it back. Raises :class:`InfrastructureError` when the log was lost.
    """
    module, _ = modules.parameters(stage.host)
    # The log is everybody's: what follows this line is ours.
    mark = f"tdlab-{stage.owner.run}: entering a guest whose code segment is both 64-bit and 32-bit"
    with modules.switched(stage.host, _DUMPS[module], True, owner=stage.owner):
        is_on = modules.parameters(stage.host)[1][_DUMPS[module]] in {"Y", "1"}
        stage.as_root(["sh", "-c", 'echo "$1" >/dev/kmsg', "tdlab", mark])
        entered = json.loads(stage.program(program, root=True).stdout)
        log = stage.as_root(["dmesg"]).stdout
    if mark not in log:
        raise InfrastructureError(
            f"the kernel log of {stage.host.name} was overwritten meanwhile", remedy="try again"
        )
    return RefusedEntry(module, is_on, entered, log.partition(mark)[2])
