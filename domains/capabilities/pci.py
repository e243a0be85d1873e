"""Rows about IOMMU, SR-IOV and devices that can be handed over: pure functions of a survey."""

from __future__ import annotations

import re

from domains.capabilities import model
from domains.capabilities.model import Capability, PciFunction
from domains.capabilities.survey import Survey

# The ACPI tables by which firmware describes an IOMMU: Intel's and AMD's.
_TABLES = {"DMAR": "VT-d", "IVRS": "AMD-Vi"}
# What the kernel says for Intel's and for AMD's.
_REMAPPING_ON = re.compile(r"Enabled IRQ remapping|Interrupt remapping enabled", re.IGNORECASE)
_SHOWN = 8

IDS = ("iommu", "interrupt-remapping", "iommu-groups", "sriov", "passthrough-nic")


def rows(survey: Survey) -> list[Capability]:
    """Return the rows from ``iommu`` to ``passthrough-nic``."""
    if not survey.pci and not survey.interfaces:
        cause, remedy = "/sys could not be read on this host", "mount /sys there"
        return [model.unknown(identity, cause=cause, remedy=remedy) for identity in IDS]
    return [_iommu(survey), _remapping(survey), _groups(survey), _sriov(survey), _passthrough(survey)]


def _iommu(survey: Survey) -> Capability:
    if units := survey.lines("iommu"):
        return model.yes("iommu", f"/sys/class/iommu: {', '.join(units[:_SHOWN])}")
    tables = [table for table in survey.lines("acpi") if table in _TABLES]
    evidence = "/sys/class/iommu is empty"
    if tables:
        kind = _TABLES[tables[0]]
        word = "intel_iommu=on" if kind == "VT-d" else "amd_iommu=on"
        return model.no(
            "iommu",
            f"{evidence}; ACPI table {tables[0]}",
            cause=f"the firmware offers {kind}, and the kernel does not use it",
            remedy=f"add {word} iommu=pt to the kernel's command line and reboot",
        )
    if not survey.lines("acpi"):
        cause = "the kernel drives no IOMMU, and the firmware's tables could not be listed"
        remedy = f"enable VT-d or AMD-Vi in the firmware set-up; or {model.ELSEWHERE}"
        return model.no("iommu", evidence, cause=cause, remedy=remedy)
    if survey.outer_hypervisor:
        cause = f"this virtual machine ({survey.outer_hypervisor}) was given no IOMMU"
        remedy = f"give this machine a virtual IOMMU; or {model.ELSEWHERE}"
    else:
        cause = "the firmware describes none (no ACPI table DMAR or IVRS)"
        remedy = f"enable VT-d or AMD-Vi in the firmware set-up; or {model.ELSEWHERE}"
    return model.no("iommu", f"{evidence}; no ACPI table DMAR or IVRS", cause=cause, remedy=remedy)


def _remapping(survey: Survey) -> Capability:
    identity = "interrupt-remapping"
    if any("IR-" in line for line in survey.lines("interrupts")):
        return model.yes(identity, "interrupts of kind IR-* in /proc/interrupts")
    said = next((line for line in survey.lines("log") if _REMAPPING_ON.search(line)), None)
    if said:
        return model.yes(identity, f"kernel log: {said.partition('] ')[2] or said}")
    if not survey.lines("iommu"):
        cause = "remapping is done by an IOMMU, and there is none in use"
        return model.no(identity, "/sys/class/iommu is empty", cause=cause, remedy="see the row iommu")
    return model.no(
        identity,
        "no interrupt of kind IR-* in /proc/interrupts",
        cause="the IOMMU does not remap interrupts: VFIO refuses to hand devices over",
        remedy="enable x2APIC or interrupt remapping in the firmware, or intremap=on for a virtual IOMMU",
    )


def _groups(survey: Survey) -> Capability:
    groups = {function.iommu_group for function in survey.pci if function.iommu_group is not None}
    if groups:
        return model.yes("iommu-groups", f"{len(survey.pci)} PCI functions in {len(groups)} groups")
    evidence = f"{len(survey.pci)} PCI functions, none in a group"
    cause = "groups exist only where an IOMMU is in use"
    return model.no("iommu-groups", evidence, cause=cause, remedy="see the row iommu")


def _sriov(survey: Survey) -> Capability:
    pfs = [function for function in survey.pci if function.vfs_possible]
    if pfs:
        told = [f"PF {pf}: {pf.vfs_enabled} of {pf.vfs_possible} VFs enabled" for pf in pfs]
        vfs = [f"VF {function}" for function in survey.pci if function.pf]
        return model.yes("sriov", _list([*told, *vfs]))
    evidence = f"no sriov_totalvfs among {len(survey.pci)} PCI functions"
    remedy = f"use a NIC with SR-IOV (Intel 82576, X710, ConnectX…); or {model.ELSEWHERE}"
    return model.no("sriov", evidence, cause="no device here has the SR-IOV capability", remedy=remedy)


def _passthrough(survey: Survey) -> Capability:
    identity = "passthrough-nic"
    nics = [function for function in survey.pci if function.is_nic]
    verdicts = [(nic, why_not(nic, survey)) for nic in nics]
    free = [nic for nic, reason in verdicts if reason is None]
    if free:
        told = [f"{nic}, group {nic.iommu_group}" for nic in free]
        return model.yes(identity, _list(told))
    if not nics:
        cause = "this host has no NIC on PCI"
        return model.no(identity, f"{len(survey.pci)} PCI functions", cause=cause, remedy=model.ELSEWHERE)
    cause = _list([f"{nic}: {reason}" for nic, reason in verdicts])
    return model.no(
        identity,
        f"NICs on PCI: {len(nics)}",
        cause=cause,
        remedy=f"add a second NIC behind an IOMMU; or {model.ELSEWHERE}",
    )


def why_not(nic: PciFunction, survey: Survey) -> str | None:
    """Return why a NIC cannot be handed over, or None when nothing speaks against it."""
    if nic.address in survey.management:
        return "this host is reached by it"
    if nic.iommu_group is None:
        return "it is in no IOMMU group"
    # VFIO hands over a whole group; the bridges in it may stay.
    others = [
        str(other)
        for other in survey.pci
        if other.iommu_group == nic.iommu_group and other.address != nic.address and not other.is_bridge
    ]
    return f"its group {nic.iommu_group} also holds {_list(others)}" if others else None


def _list(words: list[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return "; ".join(words[:_SHOWN]) + more
