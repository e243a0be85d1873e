"""Boot the emulated Intel machine, run what it can show, and set its VMCS beside AMD's VMCB."""

from __future__ import annotations

import json
from pathlib import Path

from domains import bochs
from domains.bochs import ApplianceResult
from grader.experiments.entry import refused_entry
from grader.experiments.stage import Stage
from grader.measure.vmcs import Dump, DumpField, read_dump, side_by_side

BAD_ENTRY = Path(__file__).resolve().parent.parent / "vmcs" / "bad_entry.py"
LOOPS = {"invlpg": "change-and-invlpg", "cr3": "change-and-reload-cr3"}


def measure(stage: Stage) -> None:
    """Run the appliance once, on this machine, whatever host the experiment is for."""
    found = bochs.run(folder=stage.evidence("appliance.log", "").parent, say=stage.say)
    stage.evidence("appliance.json", json.dumps(found.document(), indent=1) + "\n")
    flags = found.of("cpuinfo").found["vmx_flags"]
    stage.asked(exits=2001)
    stage.note("emulator", emulator=found.emulator, flags=" ".join(flags))
    stage.note("booted", ready=f"{found.seconds_to_ready:.0f}", seconds=f"{found.seconds:.0f}")
    for ept in ("on", "off"):
        totals = found.of("exit-meter", ept).found["totals"]
        stage.measure(f"exits-ept-{ept}", totals, emulator=found.emulator)
    stage.ran(exits=found.of("exit-meter", "on").found["total"])
    changes(stage, found)
    structures(stage, found)


def changes(stage: Stage, found: ApplianceResult) -> None:
    """Keep exits and time of each loop, with EPT and without."""
    rows = []
    for ept in ("on", "off"):
        loops = found.of("ept-microbench", ept).found["loops"]
        for name, loop in LOOPS.items():
            stage.measure(f"{name}-ept-{ept}", [loops[loop]["exits_per_change"]], emulator=found.emulator)
        for loop, one in loops.items():
            microseconds = f"{one['microseconds_per_change']:.2f}"
            exits = f"{one['exits_per_change']:.3f}"
            rows.append({"loop": loop, "ept": ept, "exits": exits, "microseconds": microseconds})
    stage.table("changes", rows)


def structures(stage: Stage, found: ApplianceResult) -> None:
    """Set Intel's structure beside that of the host's own processor, if that is AMD's."""
    intel = read_dump(found.of("vmcs").kernel_log)
    amd = Dump("amd", (), ())
    if stage.survey.kvm_module == "kvm_amd":
        log = refused_entry(stage, BAD_ENTRY).log
        stage.evidence("amd-kernel-log.txt", log)
        amd = read_dump(log)
    else:
        stage.note("no-amd", host=stage.host.name)
    rows = [
        {"name": row.concept.title, "intel": shown(row.intel), "amd": shown(row.amd)}
        for row in side_by_side(intel, amd)
    ]
    stage.table("structures", rows)


def shown(fields: tuple[DumpField, ...]) -> str:
    """Return fields as the kernel names them, each with its value."""
    return "; ".join(f"{one.name} = {one.value}" for one in fields)
