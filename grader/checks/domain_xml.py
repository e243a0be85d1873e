"""Read a student's libvirt domain: take allow-listed values out, refuse everything else by name and line.

The document itself goes no further. What libvirt may see is rebuilt from our own template, from the values
below (:func:`rebuilt`). The schema of libvirt is no security control, so this list is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from pydantic import ValidationError

from domains import refusal
from domains.spec import DomainSpec
from grader.checks.domain_rules import (
    ALLOWED,
    DANGERS,
    NO_VHOST,
    OTHER_ATTRIBUTE,
    OTHER_ELEMENT,
    REPEATED,
    SAME_ADDRESS,
    STANDS,
    TWICE,
    UNITS,
    VALUES,
    VIRTIO,
)
from grader.language.bilingual import Bilingual

MAX_BYTES = 64 * 1024
_MAX_DEPTH = 12
_MAX_ELEMENTS = 2000
_MAX_REFUSALS = 20

# These open the door to entities; the parser is told to expand none, and they are refused all the same.
_DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)


@dataclass(frozen=True)
class XmlRefusal:
    """One thing that may not stand in a student's domain: the element, its line, and why."""

    element: str
    line: int
    why: Bilingual

    def __str__(self) -> str:
        return f"line {self.line}: <{self.element}>: {self.why.en}"


@dataclass(frozen=True)
class Nic:
    """One interface as the student wrote it; None stands for what was left out."""

    line: int
    model: str | None
    driver: str | None
    queues: int
    mac: str | None
    network: str = "network"

    @property
    def vhost(self) -> str | None:
        """What the driver's name means: vhost on, vhost off, or left to libvirt (None)."""
        # QEMU's own network stack has no rings that the kernel could serve.
        if self.network == "user" and plain_model(self.model) == "virtio":
            return "off"
        return {"vhost": "on", "qemu": "off"}.get(self.driver or "")


@dataclass(frozen=True)
class StudentDomain:
    """The values that were taken out of a student's document."""

    name: str
    type: str
    machine: str
    memory: int
    vcpus: int
    nics: tuple[Nic, ...]
    viommu: bool
    remapping: str | None = None
    # Where each part of the spec stands, for what is wrong with it.
    lines: Mapping[str, int] = field(default_factory=dict)


def read(raw: bytes) -> StudentDomain | tuple[XmlRefusal, ...]:
    """Read a domain; returns its values, or all (at most 20) reasons why it is refused. Raises nothing."""
    root = _parsed(raw)
    if isinstance(root, XmlRefusal):
        return (root,)
    refusals = tuple(itertools.islice(_walk(root), _MAX_REFUSALS))
    if refusals:
        return refusals
    domain = _values(root)
    return _same_addresses(domain) or domain


def rebuilt(domain: StudentDomain) -> DomainSpec | str:
    """Return the spec that means the same (first NIC only), or why no guest can be made of it."""
    nic = domain.nics[0] if domain.nics else None
    wanted: dict[str, Any] = {
        "name": domain.name,
        "machine": domain.machine,
        "memory": domain.memory,
        "vcpus": domain.vcpus,
        "iommu": _iommu(domain) if domain.viommu else None,
    }
    if nic:
        wanted["nic"] = {
            "model": plain_model(nic.model),
            "vhost": nic.vhost,
            "queues": nic.queues,
            "mac": nic.mac,
        }
    try:
        return DomainSpec.model_validate(wanted)
    except ValidationError as bad:
        return _unfit(domain, bad)


def _iommu(domain: StudentDomain) -> dict[str, str]:
    # Left out, it is QEMU's choice, which is ours too.
    return {"interrupt_remapping": domain.remapping} if domain.remapping else {}


def _unfit(domain: StudentDomain, bad: ValidationError) -> str:
    """Say what of a domain makes no guest, with its element and line."""
    first = bad.errors()[0]
    problem = refusal.explain(first, None).problem
    # A rule over several parts names the one that is to change.
    named = getattr(first.get("ctx", {}).get("error"), "path", ())
    part = str(next(iter((*first["loc"], *named)), ""))
    if part == "nic" and domain.nics:
        return f"line {domain.nics[0].line}: <interface>: {problem}"
    if part in domain.lines:
        return f"line {domain.lines[part]}: <{STANDS[part].rpartition('/')[2]}>: {problem}"
    return problem


def plain_model(model: str | None) -> str | None:
    """Return a NIC model without virtio's transitional variants: they are the same device to a driver."""
    return "virtio" if model in VIRTIO else model


def _parsed(raw: bytes) -> etree._Element | XmlRefusal:
    if len(raw) > MAX_BYTES:
        return _broken(1, f"more than {MAX_BYTES:,} bytes", f"plus de {MAX_BYTES} octets")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        return _broken(raw.count(b"\n", 0, bad.start) + 1, "not UTF-8", "ce n'est pas de l'UTF-8")
    if found := _DECLARATION.search(raw):
        line = raw.count(b"\n", 0, found.start()) + 1
        return _broken(
            line, "document types and entities are refused", "types de document et entités refusés"
        )
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as bad:
        line = getattr(bad, "lineno", None) or 1
        return _broken(line, f"not well-formed XML: {bad}", f"XML mal formé : {bad}")
    encoding = (root.getroottree().docinfo.encoding or "UTF-8").upper()
    if root.getroottree().docinfo.internalDTD is not None or encoding not in {"UTF-8", "ASCII", "US-ASCII"}:
        return _broken(
            1, f"encoding {encoding} or a document type", f"encodage {encoding} ou type de document"
        )
    return root


def _broken(line: int, en: str, fr: str) -> XmlRefusal:
    return XmlRefusal("domain", line, Bilingual(fr=fr, en=en))


def _walk(root: etree._Element) -> Iterator[XmlRefusal]:
    """Visit every element without recursion, and name each one that the list does not hold."""
    waiting: list[tuple[etree._Element, str, int]] = [(root, "", 1)]
    seen = 0
    while waiting:
        element, above, depth = waiting.pop()
        seen += 1
        line = _line(element)
        if depth > _MAX_DEPTH or seen > _MAX_ELEMENTS:
            yield _broken(line, "too deep or too many elements", "trop profond ou trop d'éléments")
            return
        tag = str(element.tag)
        path = f"{above}/{tag}" if above else tag
        if path not in ALLOWED:
            danger = next((DANGERS[key] for key in (path, tag) if key in DANGERS), None)
            foreign = DANGERS["{"] if tag.startswith("{") else OTHER_ELEMENT
            # Nothing below a refused element is of interest.
            yield XmlRefusal(_shown(tag), line, danger or foreign)
            continue
        yield from _attributes(element, path, line)
        yield from _together(element, path)
        waiting.extend((child, path, depth + 1) for child in reversed(element))


def _attributes(element: etree._Element, path: str, line: int) -> Iterator[XmlRefusal]:
    tag = str(element.tag)
    for name, value in element.attrib.items():
        key = f"{path}@{_text(name)}"
        fits = key not in VALUES or VALUES[key].fullmatch(_text(value))
        if _text(name) not in ALLOWED[path] or not fits:
            yield XmlRefusal(_shown(tag), line, DANGERS.get(key, OTHER_ATTRIBUTE))
    if path in VALUES and not VALUES[path].fullmatch((element.text or "").strip()):
        yield XmlRefusal(_shown(tag), line, DANGERS.get(path, OTHER_ATTRIBUTE))


def _together(element: etree._Element, path: str) -> Iterator[XmlRefusal]:
    """Yield what is wrong with an element's children only beside each other."""
    seen: set[str] = set()
    for child in element:
        tag = str(child.tag)
        if tag in seen and f"{path}/{tag}" in ALLOWED and f"{path}/{tag}" not in REPEATED:
            yield XmlRefusal(_shown(tag), _line(child), TWICE)
        seen.add(tag)
    driver = element.find("driver") if element.get("type") == "user" else None
    if driver is not None and driver.get("name") == "vhost":
        yield XmlRefusal("driver", _line(driver), NO_VHOST)


def _line(element: etree._Element) -> int:
    line: Any = element.sourceline
    return line if isinstance(line, int) else 1


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _shown(tag: str) -> str:
    """Return a tag with a namespace shortened to what a student recognises: qemu:commandline, say."""
    space, _, name = tag.rpartition("}")
    steps = space.lstrip("{").rstrip("/").split("/")
    return f"{steps[-2]}:{name}" if len(steps) > 3 else name


def _same_addresses(domain: StudentDomain) -> tuple[XmlRefusal, ...]:
    """Refuse an interface with the MAC address of one before it: no switch could tell them apart."""
    seen: set[str] = set()
    found = []
    for nic in domain.nics:
        if nic.mac and nic.mac in seen:
            found.append(XmlRefusal("interface", nic.line, SAME_ADDRESS))
        seen.add(nic.mac or "")
    return tuple(found)


def _values(root: etree._Element) -> StudentDomain:
    memory = root.find("memory")
    size = 0
    if memory is not None:
        size = int((memory.text or "0").strip()) * UNITS[str(memory.get("unit", "KiB")).lower()]
    machine, iommu = root.find("os/type"), root.find("devices/iommu/driver")
    # QEMU's own choice is the older one.
    named = str(machine.get("machine", "")) if machine is not None else ""
    remapping = iommu.get("intremap") if iommu is not None else None
    return StudentDomain(
        name=(root.findtext("name") or "guest").strip(),
        type=str(root.get("type", "")),
        machine="microvm" if named == "microvm" else "q35" if "q35" in named else "i440fx",
        memory=size or 256 * 2**20,
        vcpus=int((root.findtext("vcpu") or "1").strip()),
        nics=tuple(_nic(one) for one in root.iterfind("devices/interface")),
        viommu=root.find("devices/iommu") is not None,
        remapping={"yes": "on", "no": "off"}.get(remapping, remapping) if remapping else None,
        lines={part: _line(found) for part, path in STANDS.items() if (found := root.find(path)) is not None},
    )


def _nic(interface: etree._Element) -> Nic:
    model, driver, mac = (interface.find(name) for name in ("model", "driver", "mac"))
    address = mac.get("address") if mac is not None else None
    return Nic(
        line=_line(interface),
        model=str(model.get("type")) if model is not None and model.get("type") else None,
        driver=str(driver.get("name")) if driver is not None and driver.get("name") else None,
        queues=int(driver.get("queues") or 1) if driver is not None else 1,
        mac=str(address).lower() if address else None,
        network=str(interface.get("type", "network")),
    )
