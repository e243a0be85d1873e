#!/usr/bin/env python3
"""Read everything that tells whether this host's firmware lets its CPU virtualise; as JSON, and as root.

    sudo python3 switches.py

Intel: bit 0 of IA32_FEATURE_CONTROL (MSR 0x3a) locks the register, bit 2 allows VMX outside SMX. AMD: bit 4
of VM_CR (MSR 0xc0010114) disables SVM, bit 3 locks that. What is locked stays as it is until the next reset.
Sources: Intel SDM volume 3, "Enabling and Entering VMX Operation"; AMD APM volume 2, "Enabling SVM".
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import struct
import sys
from typing import Any

FEATURE_CONTROL, VM_CR = 0x3A, 0xC0010114
LOCKED, VMX_OUTSIDE_SMX = 1 << 0, 1 << 2
SVM_LOCK, SVM_DISABLED = 1 << 3, 1 << 4
# What KVM's modules and the kernel's start say about it: "VMX (outside TXT) disabled by BIOS" and the like.
_TELLING = re.compile(
    r"(kvm(_amd|_intel)?: .*(hardware|BIOS|disabled|enabled|support)|SVM: |.*\b(VMX|SVM)\b.*BIOS)"
)


def cpu() -> dict[str, str]:
    """Return the first processor of /proc/cpuinfo."""
    first = pathlib.Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def read_msr(number: int) -> tuple[int | None, str]:
    """Return a model-specific register of CPU 0, or None and why it cannot be read."""
    try:
        file = os.open("/dev/cpu/0/msr", os.O_RDONLY)
    except OSError as refused:
        return None, f"/dev/cpu/0/msr: {refused.strerror}"
    try:
        return struct.unpack("=Q", os.pread(file, 8, number))[0], ""
    except OSError as refused:
        return None, f"MSR {number:#x}: {refused.strerror}"
    finally:
        os.close(file)


def judged(vendor: str, value: int) -> dict[str, bool]:
    """Return what the register says: whether it is locked, and whether it lets the CPU virtualise."""
    if vendor == "AuthenticAMD":
        return {"locked": bool(value & SVM_LOCK), "allows": not value & SVM_DISABLED}
    return {"locked": bool(value & LOCKED), "allows": bool(value & VMX_OUTSIDE_SMX)}


def register(vendor: str) -> dict[str, Any]:
    """Return the vendor's register, its value and what it says; or why it cannot be read."""
    number = VM_CR if vendor == "AuthenticAMD" else FEATURE_CONTROL
    value, why = read_msr(number)
    name = "VM_CR" if number == VM_CR else "IA32_FEATURE_CONTROL"
    found: dict[str, Any] = {"name": name, "number": hex(number)}
    return {**found, "why": why} if value is None else {**found, "value": hex(value), **judged(vendor, value)}


def kernel_log() -> list[str]:
    """Return what the kernel log says of virtualisation; nothing where it may not be read."""
    try:
        log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return []
    lines = []
    try:
        while True:
            text = os.read(log, 8192).decode(errors="replace").partition(";")[2].partition("\n")[0]
            if _TELLING.match(text):
                lines.append(text)
    except OSError:  # the end of what has been said so far
        return list(dict.fromkeys(lines))[:20]
    finally:
        os.close(log)


def main() -> int:
    """Print what was read."""
    seen = cpu()
    flags = seen.get("flags", "").split()
    # Not /proc/modules: what is built into the kernel is here too.
    modules = [one for one in ("kvm", "kvm_amd", "kvm_intel") if pathlib.Path("/sys/module", one).is_dir()]
    vendor = seen.get("vendor_id", "")
    print(
        json.dumps(
            {
                "schema": "tdlab.firmware/1",
                "vendor": vendor,
                "flag": next((flag for flag in ("vmx", "svm") if flag in flags), None),
                "virtual": "hypervisor" in flags,
                "dev_kvm": os.path.exists("/dev/kvm"),  # noqa: PTH110 (as a shell would ask)
                "modules": modules,
                "register": register(vendor),
                "kernel_log": kernel_log(),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
