"""Make an entry fail, and read the VMCS or VMCB that the kernel prints of it."""

from __future__ import annotations

import json
from pathlib import Path

from domains.devices import modules
from domains.errors import InfrastructureError
from grader.experiments.stage import Stage
from grader.language.bilingual import Bilingual
from grader.measure.vmcs import DumpField, read_dump

HERE = Path(__file__).resolve().parent
DUMPS = {"kvm_amd": "dump_invalid_vmcb", "kvm_intel": "dump_invalid_vmcs"}


def measure(stage: Stage) -> None:
    """Switch the dump on, enter a guest that cannot be, and annotate what the kernel log holds."""
    module, _ = modules.parameters(stage.host)
    stage.asked(module=module, dump=True)
    # The log is everybody's: what follows this line is ours.
    mark = f"tdlab-{stage.owner.run}: entering a guest whose code segment is both 64-bit and 32-bit"
    with modules.switched(stage.host, DUMPS[module], True, owner=stage.owner):
        stage.ran(module=module, dump=modules.parameters(stage.host)[1][DUMPS[module]] in {"Y", "1"})
        stage.as_root(["sh", "-c", 'echo "$1" >/dev/kmsg', "tdlab", mark])
        entered = json.loads(stage.program(HERE / "bad_entry.py", root=True).stdout)
        log = stage.as_root(["dmesg"]).stdout
    if mark not in log:
        raise InfrastructureError(
            f"the kernel log of {stage.host.name} was overwritten meanwhile", remedy="try again"
        )
    text = log.partition(mark)[2]
    file = stage.evidence("kernel-log.txt", text)
    stage.note("refused", reason=entered["reason"], code=entered["code"])
    dump = read_dump(text)
    rows = [one for one in dump.fields if one.concept]
    stage.table("fields", [_row(one) for one in rows])
    stage.measure("fields", [len(dump.fields)])
    stage.measure("explained", [len(rows)])
    stage.note("kept", file=file.name)


def _row(field: DumpField) -> dict[str, str | Bilingual]:
    assert field.concept is not None  # noqa: S101 (only explained fields get here)
    means = [field.concept.means, *field.notes]
    return {
        "field": field.name,
        "value": field.value,
        "name": field.concept.title,
        "meaning": Bilingual(fr=" ".join(one.fr for one in means), en=" ".join(one.en for one in means)),
    }
