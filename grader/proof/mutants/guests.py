"""Mutants of a student's domain: another NIC, another driver, what is not allowed, and no domain at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from types import MappingProxyType

from lxml import etree

from domains.quantities import EMULATED_NICS
from grader.checks.domain_xml import plain_model
from grader.lab.questions import DomainQuestion
from grader.proof.mutants.mutant import Kind, Mutant, Solved
from grader.submission.answers import Answer

_NIC = "devices/interface"
_MAC = "52:54:00:12:34:56"
_OTHER_DRIVER = {"on": "qemu", "off": "vhost"}
# Edits a domain in place, and says whether there was something to edit.
Change = Callable[[etree._Element], bool]

# Each of them reaches out of the guest, and must be refused whatever the lab asks for.
_DANGERS = {
    "a program of the host as emulator": "<emulator>/bin/true</emulator>",
    "a disk of the host": "<disk type='file'><source file='/etc/passwd'/><target dev='vda'/></disk>",
    "a device of the host": (
        "<hostdev mode='subsystem' type='pci'><source>"
        "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source></hostdev>"
    ),
}


def _with(solved: Solved, operator: str, question: DomainQuestion, raw: bytes | None, change: str) -> Mutant:
    files = dict(solved.submission.files) | {question.file: Answer(raw)}
    made = dataclasses.replace(solved.submission, files=MappingProxyType(files))
    return Mutant(operator, (question.id,), f"{question.file}: {change}", made)


def _edited(
    solved: Solved, operator: str, question: DomainQuestion, change: str, edit: Change
) -> Iterator[Mutant]:
    raw = solved.value(question)
    if isinstance(raw, bytes):
        root = etree.fromstring(raw)
        if edit(root):
            yield _with(solved, operator, question, etree.tostring(root), change)


def _nics(root: etree._Element) -> list[etree._Element]:
    return root.findall(_NIC)


def _set(root: etree._Element, path: str, name: str, value: str) -> bool:
    found = root.find(path)
    if found is not None:
        found.set(name, value)
    return found is not None


def _drop(root: etree._Element, path: str) -> bool:
    found = root.find(path)
    above = found.getparent() if found is not None else None
    if found is not None and above is not None:
        above.remove(found)
    return above is not None


def _add(root: etree._Element, path: str, xml: str) -> bool:
    found = root.find(path)
    if found is not None:
        found.append(etree.fromstring(xml))
    return found is not None


def _nic(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(DomainQuestion):
        for model in ("virtio", *sorted(EMULATED_NICS)):
            if plain_model(model) == question.wants.nic:
                continue
            edit = partial(_set, path=f"{_NIC}/model", name="type", value=model)
            yield from _edited(solved, "wrong-nic", question, f"the NIC is {model}", edit)


def _no_model(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(DomainQuestion):
        edit = partial(_drop, path=f"{_NIC}/model")
        yield from _edited(solved, "nic-left-to-libvirt", question, "no <model>", edit)


def _driver(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(DomainQuestion):
        if question.wants.vhost is None:
            continue
        name = _OTHER_DRIVER[question.wants.vhost]
        other = partial(_set, path=f"{_NIC}/driver", name="name", value=name)
        yield from _edited(solved, "wrong-vhost", question, f"<driver name='{name}'/>", other)
        yield from _edited(
            solved, "wrong-vhost", question, "no <driver>", partial(_drop, path=f"{_NIC}/driver")
        )


def _second(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(DomainQuestion):
        model = "e1000" if question.wants.nic != "e1000" else "virtio"
        xml = f"<interface type='user'><model type='{model}'/></interface>"
        edit = partial(_add, path="devices", xml=xml)
        yield from _edited(solved, "second-nic", question, f"a second NIC, {model}", edit)


def _same_mac(solved: Solved) -> Iterator[Mutant]:
    def edit(root: etree._Element) -> bool:
        devices, nics = root.find("devices"), _nics(root)
        if devices is None or not nics:
            return False
        for old in nics[0].findall("mac"):
            nics[0].remove(old)
        etree.SubElement(nics[0], "mac", address=_MAC)
        devices.append(etree.fromstring(etree.tostring(nics[0])))
        return True

    for question in solved.questions(DomainQuestion):
        yield from _edited(solved, "mac-twice", question, "two NICs with one MAC address", edit)


def _danger(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(DomainQuestion):
        for change, xml in _DANGERS.items():
            edit = partial(_add, path="devices", xml=xml)
            yield from _edited(solved, "reaches-the-host", question, change, edit)


def _broken(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(DomainQuestion):
        raw = solved.value(question)
        if isinstance(raw, bytes):
            yield _with(solved, "no-domain", question, None, "the file is missing")
            yield _with(solved, "no-domain", question, raw[: len(raw) // 2], "the file ends in its middle")
            yield _with(solved, "no-domain", question, b"<domain type='kvm'/>", "an empty domain")


_NONE = "no domain"
_OURS = "tdlab let it through: please report it"
KINDS = (
    Kind("wrong-nic", _nic, _NONE, "see the question's `wants`"),
    Kind("nic-left-to-libvirt", _no_model, _NONE, "see the question's `wants`"),
    Kind("wrong-vhost", _driver, "no domain that wants vhost on or off", "see the question's `wants`"),
    Kind("second-nic", _second, _NONE, _OURS),
    Kind("mac-twice", _same_mac, _NONE, _OURS),
    Kind("reaches-the-host", _danger, _NONE, _OURS),
    Kind("no-domain", _broken, _NONE, _OURS),
)
