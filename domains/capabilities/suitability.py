"""Whether a host can run a spec: pure, over capabilities that were found by trying.

Only what was *seen* to be missing refuses a spec. Where a host cannot tell, the guest is started, and libvirt
and QEMU have the last word.
"""

from __future__ import annotations

from collections.abc import Callable

from domains.capabilities.model import ELSEWHERE, Capabilities, Refused
from domains.quantities import MIB, in_units
from domains.refusal import nearest
from domains.spec import DomainSpec

# QEMU's device behind each word of a spec, where the two differ.
QEMU_DEVICES = {"virtio": "virtio-net-pci", "hostdev": "vfio-pci", "vf": "vfio-pci"}
# QEMU hides the version in machine types, and libvirt resolves the plain names to the newest.
QEMU_MACHINES = {"q35": "q35", "i440fx": "pc", "microvm": "microvm"}

Rule = Callable[[DomainSpec, Capabilities], Refused | None]


def refusal(spec: DomainSpec, capabilities: Capabilities, *, may_reload: bool = False) -> Refused | None:
    """Return why this host cannot run a spec and what would help, or None when nothing speaks against it.

    With ``may_reload`` KVM's module is loaded anew for a spec that asks for other page tables.
    """
    if may_reload and spec.cpu.ept and runs_under_kvm(spec, capabilities) and capabilities.facts.module:
        spec = spec.model_copy(update={"cpu": spec.cpu.model_copy(update={"ept": None})})
    return next((refused for rule in _RULES if (refused := rule(spec, capabilities))), None)


def runs_under_kvm(spec: DomainSpec, capabilities: Capabilities) -> bool:
    """Return whether a spec gets KVM on this host: asked for or left open, and seen to work."""
    return spec.accelerator != "tcg" and capabilities.has("kvm")


def _accelerator(spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    if spec.accelerator != "kvm" or capabilities.has("kvm"):
        return None
    return _of(capabilities, "kvm", "the spec asks for KVM: ")


def _cpu(spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    if runs_under_kvm(spec, capabilities):
        return _nested_under_kvm(spec, capabilities)
    if spec.cpu.model == "host":
        return Refused(
            "cpu model 'host' needs KVM, which this host does not have", f"write model: max; or {ELSEWHERE}"
        )
    if spec.cpu.nested == "on" and spec.cpu.vendor == "intel":
        return Refused(
            "without KVM only AMD's SVM can be nested: TCG does not emulate VMX", "write vendor: amd"
        )
    return None


def _nested_under_kvm(spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    if spec.cpu.nested == "off":
        return None
    vendor = capabilities.facts.vendor
    if vendor and spec.cpu.vendor != vendor:
        cause = f"under KVM a guest gets this host's extension, which is {vendor}'s, not {spec.cpu.vendor}'s"
        return Refused(cause, f"write vendor: {vendor}, or accelerator: tcg")
    if capabilities["nested"].status == "no":
        return _of(capabilities, "nested", "nested virtualisation is off here: ")
    return None


def _page_tables(spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    """EPT or RVI of *this* guest is a parameter of the loaded module: a spec is only held against it."""
    if spec.cpu.ept is None:
        return None
    if not runs_under_kvm(spec, capabilities):
        cause = "TCG has neither EPT nor shadow page tables: comparing them needs KVM"
        return Refused(cause, ELSEWHERE)
    used, module = capabilities.facts.two_tables, capabilities.facts.module or "kvm"
    wanted = spec.cpu.ept == "on"
    if used is None:
        cause = "it cannot be read whether guests here run on EPT/RVI or on shadow page tables"
        return Refused(cause, "load kvm_intel or kvm_amd, and see the row ept of `tdlab doctor`")
    if used == wanted:
        return None
    name = "npt" if module == "kvm_amd" else "ept"
    return Refused(
        f"{module} is loaded with {name}={int(used)}, and the spec asks for ept: {spec.cpu.ept}",
        f"with no guest running, let tdlab load it with {name}={int(wanted)} and put it back:"
        f" --allow-module-reload; or {ELSEWHERE}",
    )


def _machine(spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    machines = capabilities.facts.machines
    if machines is not None and QEMU_MACHINES[spec.machine] not in machines:
        return Refused(
            f"QEMU on this host has no machine {spec.machine}", "install a newer QEMU, or write machine: q35"
        )
    # Seen with QEMU 10.0 and kernels 6.1 and 6.12: started paused, as libvirt starts everything, the kernel
    # waits for ever for its first timer interrupt; started running it boots.
    if spec.machine == "microvm" and not runs_under_kvm(spec, capabilities):
        return Refused(
            "a microvm that libvirt starts under TCG gets no timer interrupt and hangs",
            "write machine: q35, or measure on a host where KVM works",
        )
    return None


def _devices(spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    devices = capabilities.facts.devices
    if devices is None:
        return None
    wanted: dict[str, str] = {spec.nic.model: _nic_device(spec)}
    if spec.disk and spec.disk.bus == "pvscsi":
        wanted["pvscsi"] = "pvscsi"
    if spec.iommu:
        wanted["iommu"] = "intel-iommu"
    if spec.passthrough:
        wanted["passthrough"] = "vfio-pci"
    for word, device in wanted.items():
        if device not in devices:
            cause = f"QEMU on this host has no device {device}, which {word} needs"
            return Refused(
                cause, "igb came with QEMU 8.0; for others install the distribution's whole qemu-system-x86"
            )
    return None


def _nic_device(spec: DomainSpec) -> str:
    if spec.machine == "microvm":
        return "virtio-net-device"
    return QEMU_DEVICES.get(spec.nic.model, spec.nic.model)


def _handed_over(spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    addresses = list(spec.passthrough)
    if spec.nic.is_handed_over and spec.nic.address:
        addresses.insert(0, spec.nic.address)
    if (addresses or spec.nic.pool) and capabilities["iommu"].status == "no":
        return _of(capabilities, "iommu", "a device can be handed over only behind an IOMMU: ")
    for address in addresses:
        if address == "auto":
            row = "sriov" if spec.nic.model == "vf" else "passthrough-nic"
            if capabilities[row].status == "no":
                return _of(capabilities, row, "")
            continue
        if refused := _function(address, spec, capabilities):
            return refused
    return None


def _function(address: str, spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    facts = capabilities.facts
    function = facts.function(address)
    if function is None:
        guess = nearest(address, [found.address for found in facts.pci])
        near = f"; the nearest is {guess}" if guess else ""
        return Refused(f"this host has no PCI function {address}{near}", "see lspci -D, or `tdlab doctor`")
    if address in facts.management:
        return Refused(
            f"{function} is the NIC that this host is reached by: handing it over would cut it off",
            "name another NIC; the row passthrough-nic of `tdlab doctor` lists them",
        )
    if function.iommu_group is None:
        return Refused(
            f"{function} is in no IOMMU group", "see the rows iommu and iommu-groups of `tdlab doctor`"
        )
    if spec.nic.model == "vf" and address == spec.nic.address and function.pf is None:
        return Refused(
            f"{function} is no VF", "write model: hostdev to hand over the whole device, or name a VF"
        )
    return None


def _network(spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    facts = capabilities.facts
    if spec.nic.pool and facts.networks is not None and spec.nic.pool not in facts.networks:
        guess = nearest(spec.nic.pool, facts.networks)
        remedy = f"did you mean {guess!r}?" if guess else "`virsh net-list` shows the networks of this host"
        return Refused(f"this host has no network {spec.nic.pool!r} to take a VF from", remedy)
    if spec.network.bridge and facts.bridges is not None and spec.network.bridge not in facts.bridges:
        guess = nearest(spec.network.bridge, facts.bridges)
        remedy = (
            f"did you mean {guess!r}?"
            if guess
            else f"run: sudo ip link add {spec.network.bridge} type bridge"
        )
        return Refused(f"this host has no bridge {spec.network.bridge!r}", remedy)
    if spec.nic.vhost == "on" and capabilities["vhost-net"].status == "no":
        return _of(capabilities, "vhost-net", "the spec asks for vhost: ")
    return None


def _memory(spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    facts = capabilities.facts
    if facts.memory_total is not None and spec.memory > facts.memory_total:
        has = f"this host has {facts.memory_total // MIB} MiB"
        cause = f"the guest is to have {in_units(spec.memory)}, and {has}"
        return Refused(cause, "write less memory")
    if spec.hugepages is None:
        return None
    number, unit = spec.hugepages.split()
    size = int(number) * (MIB if unit == "MiB" else 1024 * MIB)
    pool = next((pool for pool in facts.hugepages if pool.size == size), None)
    if pool is None:
        return Refused(
            f"this host has no huge pages of {spec.hugepages}", "write hugepages: 2 MiB, or leave it out"
        )
    needed = spec.memory // size
    if pool.free >= needed:
        return None
    kib = size // 1024
    path = f"/sys/kernel/mm/hugepages/hugepages-{kib}kB/nr_hugepages"
    return Refused(
        f"the guest needs {needed} huge pages of {spec.hugepages}, and {pool.free} are free",
        f"run: echo {pool.total + needed - pool.free} | sudo tee {path}",
    )


def _pinning(spec: DomainSpec, capabilities: Capabilities) -> Refused | None:
    cpus = capabilities.facts.cpus
    missing = sorted(set(spec.pinning) - cpus) if cpus is not None else []
    if not missing:
        return None
    return Refused(
        f"this host has no CPU {missing[0]} to pin to",
        f"its CPUs are {min(cpus or {0})} to {max(cpus or {0})}",
    )


def _of(capabilities: Capabilities, identity: str, intro: str) -> Refused:
    row = capabilities[identity]
    return Refused(f"{intro}{row.cause}", row.remedy or "see `tdlab doctor`")


_RULES: tuple[Rule, ...] = (
    _accelerator,
    _cpu,
    _page_tables,
    _machine,
    _devices,
    _handed_over,
    _network,
    _memory,
    _pinning,
)
