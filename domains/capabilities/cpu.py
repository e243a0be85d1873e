"""Rows about the CPU and the kvm module: pure functions of a survey."""

from __future__ import annotations

import re

from domains.capabilities import model
from domains.capabilities.model import Capability
from domains.capabilities.survey import Survey

_NAMES = {"vmx": "VMX (Intel VT-x)", "svm": "SVM (AMD-V)"}
_DISABLED = re.compile(r"disabled by (the )?(bios|firmware)|\bdisabled \(by bios\)", re.IGNORECASE)


def rows(survey: Survey) -> list[Capability]:
    """Return the rows from ``cpu-vendor`` to ``ept``."""
    return [_vendor(survey), _extension(survey), _firmware(survey), _nested(survey), _two_tables(survey)]


def _vendor(survey: Survey) -> Capability:
    named = survey.cpu.get("vendor_id", "")
    if survey.vendor:
        return model.yes("cpu-vendor", f"{named}, {survey.cpu.get('model name', 'unnamed model')}")
    if not named:
        return _unreadable("cpu-vendor")
    cause = "only Intel's and AMD's extensions are known here"
    return model.no("cpu-vendor", named, cause=cause, remedy="use an x86-64 host of Intel or AMD")


def _extension(survey: Survey) -> Capability:
    if survey.extension:
        return model.yes("cpu-extension", f"flag {survey.extension} in /proc/cpuinfo")
    if not survey.cpu:
        return _unreadable("cpu-extension")
    evidence = "no flag vmx or svm in /proc/cpuinfo"
    if survey.outer_hypervisor:
        below = survey.outer_hypervisor
        return model.no(
            "cpu-extension",
            f"{evidence}; flag hypervisor",
            cause=f"this host is itself a virtual machine ({below}) without nested virtualisation",
            remedy=f"let the hypervisor below pass it on, where it can; or {model.ELSEWHERE}",
        )
    remedy = f"enable VT-x or SVM in the firmware set-up; or {model.ELSEWHERE}"
    return model.no(
        "cpu-extension", evidence, cause="the CPU lacks it, or the firmware hides it", remedy=remedy
    )


def _firmware(survey: Survey) -> Capability:
    remedy = "enable VT-x (Intel) or SVM (AMD) in the firmware set-up, and switch the power off and on"
    if locked := _locked_off(survey):
        return model.no("firmware", locked, cause="the firmware disables the extension", remedy=remedy)
    said = next((line for line in survey.lines("log") if _DISABLED.search(line)), None)
    if said:
        evidence = f"kernel log: {said.partition('] ')[2] or said}"
        return model.no("firmware", evidence, cause="the firmware disables the extension", remedy=remedy)
    if survey.extension:
        # A kernel clears the flag when the firmware has locked the extension off (Linux 5.6 and newer).
        loaded = f", and {survey.kvm_module} is loaded" if survey.kvm_module else ""
        return model.yes("firmware", f"the flag {survey.extension} is shown{loaded}")
    if survey.outer_hypervisor:
        cause = "from inside a virtual machine the firmware of the real one cannot be seen"
        return model.unknown(
            "firmware", cause=cause, remedy=f"ask who runs the machine below; or {model.ELSEWHERE}"
        )
    cause = "neither the kernel log nor the CPU's registers could be read for it"
    return model.unknown("firmware", cause=cause, remedy="run `tdlab doctor` as root after: modprobe msr")


def _locked_off(survey: Survey) -> str | None:
    """Return the register that says "locked off".

    Intel SDM vol. 3, IA32_FEATURE_CONTROL (3Ah): bit 0 lock, bit 2 VMX outside SMX. AMD APM vol. 2, VM_CR
    (C001_0114h): bit 4 SVMDIS.
    """
    intel, amd = survey.text("msr-3a"), survey.text("msr-c0010114")
    if survey.vendor == "intel" and intel and int(intel, 16) & 0b101 == 0b001:
        return f"MSR 3Ah is {int(intel, 16):#x}: locked, VMX off"
    if survey.vendor == "amd" and amd and int(amd, 16) & 0b10000:
        return f"MSR C0010114h is {int(amd, 16):#x}: SVM disabled"
    return None


def _nested(survey: Survey) -> Capability:
    module, value = survey.kvm_module, survey.parameter("nested")
    if value is None or module is None:
        return _no_parameter(survey, "nested", "nested")
    if value:
        return model.yes("nested", f"{module} nested={survey.modules[module]['nested']}")
    remedy = f"with no guest running: sudo modprobe -r {module} && sudo modprobe {module} nested=1"
    evidence = f"{module} nested={survey.modules[module]['nested']}"
    return model.no("nested", evidence, cause=f"{module} was loaded with nested off", remedy=remedy)


def _two_tables(survey: Survey) -> Capability:
    module = survey.kvm_module
    name = "npt" if module == "kvm_amd" else "ept"
    value = survey.parameter(name)
    if value is None or module is None:
        return _no_parameter(survey, "ept", "ept or npt")
    evidence = f"{module} {name}={survey.modules[module][name]}"
    if value:
        return model.yes("ept", evidence)
    if name not in survey.cpu_flags:
        cause = f"the CPU does not show {name}: guests run on shadow page tables"
        return model.no("ept", evidence, cause=cause, remedy=model.ELSEWHERE)
    cause = f"{module} was loaded with {name}=0: guests run on shadow page tables"
    remedy = f"with no guest running: sudo modprobe -r {module} && sudo modprobe {module} {name}=1"
    return model.no("ept", evidence, cause=cause, remedy=remedy)


def _no_parameter(survey: Survey, identity: str, parameter: str) -> Capability:
    evidence = f"kvm modules: {', '.join(survey.modules) or 'none'}"
    if survey.kvm_module:
        cause = f"{survey.kvm_module} has no readable parameter {parameter}"
        return model.unknown(identity, cause=cause, remedy="run `tdlab doctor` as root", evidence=evidence)
    if survey.extension is None and survey.cpu:
        cause = "neither kvm_intel nor kvm_amd is loaded, and the CPU shows neither vmx nor svm"
        return model.no(identity, evidence, cause=cause, remedy=model.ELSEWHERE)
    module = f"kvm_{survey.vendor}" if survey.vendor else "kvm_intel"
    cause = "neither kvm_intel nor kvm_amd is loaded"
    return model.unknown(identity, cause=cause, remedy=f"run: sudo modprobe {module}", evidence=evidence)


def _unreadable(identity: str) -> Capability:
    return model.unknown(identity, cause="/proc/cpuinfo could not be read", remedy="mount /proc on the host")
