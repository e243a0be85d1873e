"""The kernel's print of a VMCS (Intel) or a VMCB (AMD), read field by field and explained.

``kvm_intel dump_invalid_vmcs=1`` and ``kvm_amd dump_invalid_vmcb=1`` print it when the CPU refuses an entry.
The print is for people and its layout no promise (dump_vmcs in arch/x86/kvm/vmx/vmx.c, dump_vmcb in
arch/x86/kvm/svm/svm.c); a line that is not understood is kept as such, and never dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domains import document
from domains.errors import InfrastructureError
from grader.language.bilingual import Bilingual

FILE = Path(__file__).resolve().with_name("vmcs_fields.yaml")

Vendor = Literal["intel", "amd"]

# What the kernel log and newer kernels put before each line.
_PREFIX = re.compile(r"^(?:<\d+>)?(?:\[\s*\d+\.\d+\] ?)?(?:(?:SVM|VMX|kvm_intel|kvm_amd|kvm): )?")
_FIRST = {"intel": re.compile(r"^VMCS \w+, last attempted"), "amd": re.compile(r"^VMCB \w+, last attempted")}
_AREAS = {
    "*** Guest State ***": "guest",
    "*** Host State ***": "host",
    "*** Control State ***": "control",
    "VMCB Control Area:": "control",
    "VMCB State Save Area:": "save",
}
# "CR0: actual=..., shadow=...": a name that several values follow. The line after may go on with them.
_GROUP = re.compile(r"^(?P<group>[^=:]+):\s+(?=[\w.]+\s*=)")
_WORD = r"[A-Za-z|][\w:|\-]*"
_PAIR = re.compile(
    rf"(?P<name>{_WORD}(?: {_WORD})*)\s*=\s*(?P<value>(?:0x)?[0-9a-fA-F]+(?:[:|][0-9a-fA-F]+)?)"
)
_MSR = re.compile(r"^\s*(?P<index>\d+): msr=0x(?P<msr>\w+) value=0x(?P<value>\w+)")
_SEGMENT = re.compile(r"^(?P<name>\w+):\s+s: (?P<s>\w+) a: (?P<a>\w+) l: (?P<l>\w+) b: (?P<b>\w+)")
_SAVED = re.compile(r"(?P<name>[a-z]\w*):\s*(?P<value>[0-9a-f]+)(?=\s|$)")
_CONTROL = re.compile(r"^(?P<name>[a-z][\w ]*):\s*(?P<value>[0-9a-f]+(?: [0-9a-f]+)*)$")


class Bit(BaseModel):
    """What one bit of a field says when it is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bit: int = Field(ge=0, le=63)
    name: str
    means: Bilingual


class Concept(BaseModel):
    """One thing that both vendors keep: the names of its fields at each, and what it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: Bilingual
    means: Bilingual
    intel: tuple[str, ...] = ()
    amd: tuple[str, ...] = ()
    bits: Mapping[str, tuple[Bit, ...]] = {}
    values: Mapping[str, Mapping[str, Bilingual]] = {}


class Concepts(BaseModel):
    """All that is known, in the order in which it is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal["tdlab.vmcs-fields/1"] = Field(alias="schema")
    concepts: tuple[Concept, ...]

    def of(self, vendor: Vendor, field: str) -> Concept | None:
        """Return what a field by its name ("guest.CS.attr"), or else its group ("guest.CS"), is about."""
        for name in (field, field.rpartition(".")[0]):
            for one in self.concepts:
                if name in (one.intel if vendor == "intel" else one.amd):
                    return one
        return None


@dataclass(frozen=True)
class DumpField:
    """One field as the kernel printed it, with what is known about it.

    ``name`` begins with its area: guest, host or control at Intel, control or save at AMD. ``notes`` are what
    its bits or its value say.
    """

    vendor: Vendor
    name: str
    value: str
    concept: Concept | None
    notes: tuple[Bilingual, ...] = ()


@dataclass(frozen=True)
class Dump:
    """One VMCS or VMCB; ``unread`` are the lines that were not understood."""

    vendor: Vendor
    fields: tuple[DumpField, ...]
    unread: tuple[str, ...] = ()

    def value(self, name: str) -> int:
        """Return a field's value; raises :class:`InfrastructureError` when the kernel did not print it."""
        for field in self.fields:
            if field.name == name:
                return int(field.value, 16)
        raise InfrastructureError(f"the kernel's dump has no field {name}")


@dataclass(frozen=True)
class Row:
    """One concept with the fields of both vendors; an empty side means that this vendor has none printed."""

    concept: Concept
    intel: tuple[DumpField, ...]
    amd: tuple[DumpField, ...]


@cache
def concepts() -> Concepts:
    """Read what ships with tdlab about the fields."""
    return document.validate(document.read(FILE), Concepts)


def read_dump(text: str) -> Dump:
    """Read the last VMCS or VMCB in a piece of kernel log, with or without time stamps.

    Raises :class:`InfrastructureError` when there is none: the module was loaded without its parameter, or
    the entry did not fail.
    """
    lines = [_PREFIX.sub("", line.rstrip()) for line in text.splitlines()]
    starts = [
        (number, vendor)
        for number, line in enumerate(lines)
        for vendor, first in _FIRST.items()
        if first.match(line)
    ]
    if not starts:
        raise InfrastructureError(
            "the kernel log holds neither a VMCS nor a VMCB",
            remedy="load kvm_intel with dump_invalid_vmcs=1, or kvm_amd with dump_invalid_vmcb=1",
        )
    start, name = starts[-1]
    vendor: Vendor = "intel" if name == "intel" else "amd"
    fields: list[DumpField] = []
    unread: list[str] = []
    area = group = ""
    for line in lines[start + 1 :]:
        if line in _AREAS:
            area, group = _AREAS[line], ""
            continue
        group = _group(line, group)
        found = list(_intel(line, group) if vendor == "intel" else _amd(line, area)) if area else []
        fields += [_explained(vendor, f"{area}.{field}", value) for field, value in found]
        if not found and line.strip():
            unread.append(line)
    return Dump(vendor, tuple(fields), tuple(unread))


def side_by_side(intel: Dump, amd: Dump) -> tuple[Row, ...]:
    """Return both dumps by concept, in the order of the data; what neither printed is left out."""
    rows = []
    for concept in concepts().concepts:
        left, right = ([one for one in dump.fields if one.concept == concept] for dump in (intel, amd))
        if left or right:
            rows.append(Row(concept, tuple(left), tuple(right)))
    return tuple(rows)


def _group(line: str, before: str) -> str:
    """Return the name that stands before a line's values; an indented line goes on with the one before."""
    if match := _GROUP.match(line):
        return match["group"].strip()
    return before if line.startswith(" ") else ""


def _intel(line: str, group: str) -> Iterator[tuple[str, str]]:
    if msr := _MSR.match(line):
        yield f"MSR.{msr['msr']}", msr["value"]
        return
    rest = _GROUP.sub("", line)
    for pair in _PAIR.finditer(rest):
        yield (f"{group}.{pair['name']}" if group else pair["name"]), pair["value"]


def _amd(line: str, area: str) -> Iterator[tuple[str, str]]:
    if segment := _SEGMENT.match(line):
        for name, letter in (("selector", "s"), ("attributes", "a"), ("limit", "l"), ("base", "b")):
            yield f"{segment['name']}.{name}", segment[letter]
    elif area == "control":
        if one := _CONTROL.match(line):
            yield one["name"], one["value"]
    else:
        for pair in _SAVED.finditer(line):
            yield pair["name"], pair["value"]


def _explained(vendor: Vendor, name: str, value: str) -> DumpField:
    concept = concepts().of(vendor, name)
    notes: list[Bilingual] = []
    if concept and re.fullmatch(r"(0x)?[0-9a-fA-F]+", value):
        number = int(value, 16)
        notes += [one.means for one in concept.bits.get(f"{vendor}:{name}", ()) if number >> one.bit & 1]
        if note := concept.values.get(f"{vendor}:{name}", {}).get(hex(number)):
            notes.append(note)
    return DumpField(vendor, name, value, concept, tuple(notes))
