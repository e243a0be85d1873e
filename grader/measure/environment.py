"""What a measurement depends on and does not show: read once a run from the host."""

from __future__ import annotations

from typing import Any

from domains import hosts
from domains.host import Host
from domains.hypervisor import Hypervisor

# One round trip for all of it: each line prints a key, a tab and a value. Missing files print nothing.
_SCRIPT = r"""
cpuinfo() { sed -n "s/^$1[[:space:]]*: //p" /proc/cpuinfo | head -n 1; }
say() { [ -n "$2" ] && printf '%s\t%s\n' "$1" "$2"; }
say cpu "$(cpuinfo "model name")"
say cpus "$(nproc)"
say microcode "$(cpuinfo microcode)"
say virtual "$(cpuinfo flags | grep -qw hypervisor && echo yes || echo no)"
say kernel "$(uname -r)"
say kernel_arguments "$(cat /proc/cmdline)"
say memory_kib "$(sed -n 's/^MemTotal:[[:space:]]*\([0-9]*\).*/\1/p' /proc/meminfo)"
say governor "$(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor 2>/dev/null)"
say frequency_driver "$(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_driver 2>/dev/null)"
say frequency_max_khz "$(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq 2>/dev/null)"
say turbo "$({ sed 's/1/off/; s/0/on/' /sys/devices/system/cpu/intel_pstate/no_turbo ||
    sed 's/1/on/; s/0/off/' /sys/devices/system/cpu/cpufreq/boost; } 2>/dev/null)"
say smt "$(sed 's/1/on/; s/0/off/' /sys/devices/system/cpu/smt/active 2>/dev/null)"
say transparent_hugepages "$(cat /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null)"
say load "$(cut -d ' ' -f 1-3 /proc/loadavg)"
say distribution "$(. /etc/os-release; printf %s "$PRETTY_NAME")"
say iperf3 "$(iperf3 --version 2>/dev/null | head -n 1 | cut -d ' ' -f 2)"
for file in /sys/devices/system/cpu/vulnerabilities/*; do
    [ -r "$file" ] && say "mitigation.${file##*/}" "$(cat "$file")"
done
for module in kvm_intel kvm_amd; do
    for parameter in ept npt nested; do
        file=/sys/module/$module/parameters/$parameter
        [ -r "$file" ] && say "module.$module.$parameter" "$(cat "$file")"
    done
done
true
"""

# Of the kernel's command line only what changes how guests run: the rest is nobody's business in a report.
_TELLING = (
    *("mitigations=", "nosmt", "pti", "spectre", "isolcpus", "nohz", "rcu_nocbs", "idle=", "intel_idle"),
    *(
        "iommu",
        "intel_iommu",
        "amd_iommu",
        "vfio",
        "kvm",
        "hugepage",
        "default_hugepagesz",
        "transparent_hugepage",
    ),
)


def collect(host: Host, hypervisor: Hypervisor | None) -> dict[str, Any]:
    """Return the environment of a host as plain data; keys that the host does not have are absent.

    ``emulator`` names what emulates the host, where that is known: its times are no hardware's.
    Without a hypervisor the versions of libvirt and QEMU are left out: nothing that is measured needs them.
    """
    emulator = hosts.emulator(host)
    named = {"host": host.name} | ({"emulator": emulator} if emulator else {})
    seen = named | parse(host.run(["sh", "-c", _SCRIPT], timeout=20).stdout)
    if hypervisor is None:
        return seen
    versions = hypervisor.versions()
    return {**seen, "libvirt": versions.libvirt, "qemu": versions.qemu}


def parse(text: str) -> dict[str, Any]:
    """Turn lines of ``key TAB value`` into plain data; dotted keys make groups."""
    result: dict[str, Any] = {}
    for line in text.splitlines():
        key, tab, value = line.partition("\t")
        if not tab:
            continue
        group, dot, rest = key.partition(".")
        if dot:
            result.setdefault(group, {})[rest] = value
        else:
            result[key] = int(value) if key in {"cpus", "memory_kib", "frequency_max_khz"} else value
    if "kernel_arguments" in result:
        words = result["kernel_arguments"].split()
        result["kernel_arguments"] = " ".join(word for word in words if word.startswith(_TELLING))
    return result
