"""Make an entry fail, and read the VMCS or VMCB that the kernel prints of it."""

from __future__ import annotations

from pathlib import Path

from grader.experiments.entry import refused_entry
from grader.experiments.stage import Stage
from grader.language.bilingual import Bilingual
from grader.measure.vmcs import DumpField, read_dump

HERE = Path(__file__).resolve().parent


def measure(stage: Stage) -> None:
    """Switch the dump on, enter a guest that cannot be, and annotate what the kernel log holds."""
    stage.asked(dump=True)
    found = refused_entry(stage, HERE / "bad_entry.py")
    stage.ran(module=found.module, dump=found.dump_is_on)
    entered, text = found.entered, found.log
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
