"""Start a VM with two vCPUs, find its process on the host, and see which threads work when the guest does."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path
from typing import Any

from domains.lifecycle import Domain
from domains.spec import DomainSpec
from grader.experiments import workloads
from grader.experiments.result import Value
from grader.experiments.stage import Stage

HERE = Path(__file__).resolve().parent
MEMORY_MIB, VCPUS = 256, 2
# Some seconds of work for one vCPU, however fast it is.
BUSY_SECONDS, BUSY_VCPU = 2.0, 1
# QEMU names a vCPU's thread after it: "CPU 0/KVM" or "CPU 0/TCG".
_VCPU = re.compile(r"CPU (\d+)/(KVM|TCG)")


def measure(stage: Stage) -> None:
    """Look at the process before and after one vCPU has been kept busy for some seconds."""
    spec = DomainSpec.model_validate({"name": "ps", "memory": f"{MEMORY_MIB} MiB", "vcpus": VCPUS})
    stage.asked(accelerator=stage.accelerator, vcpus=VCPUS, memory_mib=MEMORY_MIB)
    with stage.guest(spec) as domain:
        before = _process(stage, domain)
        work = workloads.on_vcpu(workloads.ARITHMETIC, BUSY_VCPU)
        workloads.rounds(domain.guest, work, 10_000_000, least=BUSY_SECONDS)
        after = _process(stage, domain)
        ran = stage.what_runs(domain)
    stage.evidence("process.json", json.dumps(after, indent=1))
    stage.evidence("command-line.txt", shlex.join(after["words"]) + "\n")
    stage.ran(accelerator=ran["accelerator"], vcpus=ran["vcpus"], memory_mib=ran["memory_mib"])
    used = {one["thread"]: one["cpu_seconds"] for one in before["threads"]}
    rows = [_row(one, one["cpu_seconds"] - used.get(one["thread"], 0.0)) for one in after["threads"]]
    stage.table("threads", rows)
    stage.measure("threads", [len(rows)])
    stage.measure("vcpu-threads", [sum(row["vcpu"] is not None for row in rows)])
    stage.measure("resident", [after["resident_kib"] / 1024])
    stage.measure("guest-memory", [MEMORY_MIB])
    stage.note("found", pid=after["pid"], user=after["user"], among=after["processes"])
    stage.note("accelerator", name=_accelerator(after["words"]))


def _process(stage: Stage, domain: Domain) -> dict[str, Any]:
    text = stage.program(HERE / "processes.py", domain.machine.name, root=True).stdout
    found: dict[str, Any] = json.loads(text)
    return found


def _row(thread: dict[str, Any], seconds: float) -> dict[str, Value]:
    match = _VCPU.fullmatch(thread["name"])
    return {
        "thread": thread["thread"],
        "name": thread["name"],
        "vcpu": int(match[1]) if match else None,
        "seconds": round(seconds, 2),
    }


def _accelerator(words: list[str]) -> str:
    """Return how the command line names the accelerator."""
    return next((f"-accel {word}" for before, word in itertools.pairwise(words) if before == "-accel"), "?")
