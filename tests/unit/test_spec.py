"""Every refusal of a spec: file, line, column, the cause, and the nearest right value."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains import catalogue, document, spec
from domains.errors import InputError
from domains.spec import DomainSpec

FILE = Path("lab/spec.yaml")


def _refused(text: str) -> InputError:
    with pytest.raises(InputError) as refused:
        spec.parse(document.parse(text.encode(), FILE))
    return refused.value


# What is written; line:column; a part of the problem; a part of the remedy.
REFUSALS = {
    "unknown model": ("nic:\n  model: e100\n", "2:10", "unknown NIC model 'e100'", "did you mean 'i82557b'?"),
    "misspelt model": ("nic: {model: e1000x}", "1:14", "unknown NIC model 'e1000x'", "did you mean 'e1000'?"),
    "no model at all": (
        "nic: {model: qqq}",
        "1:14",
        "unknown NIC model 'qqq'",
        "known models: i82557b, e1000",
    ),
    "vhost with e1000": (
        "nic:\n  model: e1000\n  vhost: on\n",
        "3:10",
        "vhost does not exist for e1000",
        "remove vhost, or use model: virtio",
    ),
    "queues with e1000": ("nic: {model: e1000, queues: 2}", "1:29", "e1000 has one queue", "model: virtio"),
    "queues above vCPUs": (
        "vcpus: 2\nnic: {queues: 4}",
        "2:15",
        "4 queues for 2 vCPUs",
        "write queues: 2, or vcpus: 4",
    ),
    "too many queues": ("vcpus: 99\nnic: {queues: 17}", "2:15", "queues: must be at most 16", ""),
    "VF without an address": (
        "nic:\n  model: vf\n",
        "2:10",
        "a VF needs either its PCI address or the network that is its pool",
        "add address: 0000:BB:DD.F, or pool: NETWORK",
    ),
    "VF with both": ("nic: {model: vf, address: '03:10.0', pool: p}", "1:14", "a VF needs either", "add"),
    "hostdev without an address": ("nic: {model: hostdev}", "1:14", "needs the PCI address", "add address"),
    "address of an emulated NIC": (
        "nic: {model: e1000, address: 03:10.0}",
        "1:30",
        "takes no host PCI",
        "hostdev",
    ),
    "pool of an emulated NIC": ("nic: {model: e1000, pool: p}", "1:27", "only a VF comes from a pool", "vf"),
    "wrong PCI address": (
        "nic: {model: vf, address: 3:10}",
        "1:27",
        "'3:10' is not a PCI address",
        "0000:03:10.0",
    ),
    "passthrough of nothing": ("passthrough: [gpu]", "1:15", "'gpu' is not a PCI address", "lspci -D"),
    "passthrough twice": (
        "passthrough: ['01:00.0', '0000:01:00.0']",
        "1:26",
        "0000:01:00.0 is handed over twice",
        "once",
    ),
    "passthrough not a list": ("passthrough: 01:00.0", "1:14", "passthrough: must be a list", "write a list"),
    "wrong MAC": ("nic: {mac: 52:54:00:12:34}", "1:12", "is not a MAC address", "52:54:00:12:34:56"),
    "multicast MAC": (
        "nic: {mac: '53:54:00:12:34:56'}",
        "1:12",
        "multicast",
        "did you mean 52:54:00:12:34:56?",
    ),
    "reserved MAC": ("nic: {mac: 'fe:54:00:12:34:56'}", "1:12", "libvirt keeps", "write 52:54:00:12:34:56"),
    "MAC of a hostdev": (
        "nic: {model: hostdev, address: '03:00.0', mac: '52:54:00:00:00:01'}",
        "1:48",
        "keeps its own MAC",
        "model: vf",
    ),
    "network of a hostdev": (
        "nic: {model: hostdev, address: '03:00.0'}\nnetwork: {mode: nat}",
        "2:17",
        "hostdev is a real device",
        "remove network",
    ),
    "unknown key": ("memry: 1 GiB", "1:1", "unknown key 'memry'", "did you mean 'memory'?"),
    "unknown key below": ("nic:\n  modle: e1000", "2:3", "unknown key 'modle'", "did you mean 'model'?"),
    "other word for a key": ("ram: 1 GiB", "1:1", "unknown key 'ram'", "did you mean 'memory'?"),
    "AMD's word for EPT": ("cpu: {npt: off}", "1:7", "unknown key 'npt'", "did you mean 'ept'?"),
    "key of a part": ("vhost: on", "1:1", "unknown key 'vhost'", "write nic: {vhost: …}"),
    "duplicate key": ("vcpus: 1\nvcpus: 2", "2:1", "'vcpus' is given twice", "keep one"),
    "text for a number": ("vcpus: two", "1:8", "vcpus: must be a whole number, not 'two'", ""),
    "switch for a number": ("vcpus: on", "1:8", "vcpus: must be a whole number, not on/true", ""),
    "fraction for a number": ("vcpus: 1.5", "1:8", "vcpus: must be a whole number, not 1.5", ""),
    "no vCPU": ("vcpus: 0", "1:8", "vcpus: must be at least 1", ""),
    "number for a name": ("name: 5", "1:7", "5 is not text", 'write it in quotes: "5"'),
    "name with a slash": ("name: a/b", "1:7", "'a/b' cannot be a name", "letters, digits"),
    "long bridge": (
        "network: {mode: bridge, bridge: abcdefghijklmnop}",
        "1:33",
        "interface name",
        "at most 15",
    ),
    "list for a mapping": ("nic: [e1000]", "1:6", "nic: must be a mapping of keys to values, not a list", ""),
    "text for a mapping": ("nic: e1000", "1:6", "nic: must be a mapping of keys to values, not 'e1000'", ""),
    "no spec at all": ("- e1000", "1:1", "a spec is a mapping", "nic: {model: e1000}"),
    "wrong unit": ("memory: 12 XB", "1:9", "'12 XB' is not a size", "256 MiB"),
    "decimal unit": ("memory: 512 MB", "1:9", "counted in thousands", "write 512 MiB"),
    "size of nothing": ("memory: many", "1:9", "'many' is not a size", "256 MiB"),
    "negative size": ("memory: -5", "1:9", "no size that a host could have", "256 MiB"),
    "huge size": ("memory: 999999999999 GiB", "1:9", "no size that a host could have", "256 MiB"),
    "too little memory": ("memory: 512", "1:9", "memory of 512 B is less", "write memory: 64 MiB or more"),
    "memory in odd bytes": ("memory: 67108865", "1:9", "no whole number of MiB", "write memory: 64 MiB"),
    "memory in huge pages": (
        "memory: 1536 MiB\nhugepages: 1 GiB",
        "1:9",
        "memory of 1536 MiB is no whole number of huge pages of 1 GiB",
        "write memory: 2 GiB",
    ),
    "unknown huge page": ("hugepages: 4 MiB", "1:12", "'4 MiB' is not one of 2 MiB, 1 GiB", "did you mean"),
    "pinning too short": (
        "vcpus: 2\npinning: [0]",
        "2:10",
        "pinning names 1 of the host's CPUs for 2 vCPU",
        "one host CPU for each",
    ),
    "pinning to nothing": (
        "vcpus: 1\npinning: [x]",
        "2:11",
        "must be a whole number, not 'x'",
        "a list of host",
    ),
    "unknown machine": (
        "machine: q53",
        "1:10",
        "'q53' is not one of q35, i440fx, microvm",
        "did you mean 'q35'?",
    ),
    "microvm with e1000": (
        "machine: microvm\nnic: {model: e1000}",
        "2:14",
        "microvm has no PCI bus",
        "write machine: q35",
    ),
    "microvm with a GPU": (
        "machine: microvm\npassthrough: ['01:00.0']",
        "2:14",
        "microvm has no PCI bus",
        "machine: q35",
    ),
    "microvm with SATA": (
        "machine: microvm\ndisk: {bus: sata}",
        "2:13",
        "microvm has no sata controller",
        "virtio",
    ),
    "microvm with IOMMU": ("machine: microvm\niommu: {}", "2:8", "microvm has no virtual IOMMU", "q35"),
    "IOMMU with i440fx": (
        "machine: i440fx\niommu: {}",
        "2:8",
        "i440fx has no virtual IOMMU",
        "write machine: q35, or remove iommu",
    ),
    "IDE on q35": ("disk: {bus: ide}", "1:13", "q35 has no IDE controller", "write bus: sata"),
    "odd disk": ("disk: {size: 1000001}", "1:14", "whole sectors", "write size: 1 MiB"),
    "bridge without a name": ("network: {mode: bridge}", "1:17", "needs the bridge's name", "bridge: br0"),
    "bridge of NAT": ("network: {mode: nat, bridge: br0}", "1:30", "makes its own bridge", "mode: bridge"),
    "nested without a vendor": ("cpu: {nested: on}", "1:15", "nested needs the vendor", "vendor: intel"),
    "EPT shown to nobody": (
        "cpu:\n  ept_shown_to_guest: off",
        "2:23",
        "it is for a hypervisor inside the guest",
        "to run this guest itself on shadow page tables write ept: off",
    ),
    "EPT under TCG": ("accelerator: tcg\ncpu: {ept: off}", "2:12", "neither EPT nor shadow", "kvm"),
    "VMX under TCG": (
        "accelerator: tcg\ncpu: {nested: on, vendor: intel}",
        "2:27",
        "not Intel's VMX",
        "write vendor: amd, or accelerator: kvm",
    ),
    "host's CPU under TCG": ("accelerator: tcg\ncpu: {model: host}", "2:14", "TCG cannot", "model: max"),
    "neither on nor off": ("nic: {vhost: maybe}", "1:14", "'maybe' is neither on nor off", "write on or off"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_names_place_cause_and_remedy(case: str) -> None:
    text, place, problem, remedy = REFUSALS[case]
    refused = _refused(text)
    assert f"{refused.where.line}:{refused.where.column}" == place, str(refused)
    assert problem in refused.problem
    assert remedy in (refused.remedy or ""), str(refused)


@pytest.mark.parametrize("case", REFUSALS)
def test_no_message_shows_how_tdlab_is_made(case: str) -> None:
    message = str(_refused(REFUSALS[case][0]))
    for inside in (
        "Input should",
        "pattern",
        "regex",
        "Spec",
        "pydantic",
        "^[",
        "Value error",
        "type=",
        "class ",
    ):
        assert inside not in message
    assert message.startswith("lab/spec.yaml:")


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("nic: {mac: 52:54:00:12:34:56}", ("nic", "mac"), "52:54:00:12:34:56"),
        ("nic: {mac: 52-54-00-AB-CD-EF}", ("nic", "mac"), "52:54:00:ab:cd:ef"),
        ("nic: {model: vf, address: 03:10.0}", ("nic", "address"), "0000:03:10.0"),
        ("nic: {model: vf, address: auto}", ("nic", "address"), "auto"),
        ("nic: {vhost: on}", ("nic", "vhost"), "on"),
        ("nic: {vhost: 'off'}", ("nic", "vhost"), "off"),
        ("memory: 1 GiB", ("memory",), 2**30),
        ("memory: 512M", ("memory",), 2**29),
        ("memory: 268435456", ("memory",), 2**28),
        ("vcpus: 2\npinning: [1, 3]", ("pinning",), (1, 3)),
    ],
)
def test_values_are_read_as_people_mean_them(text: str, path: tuple[str, ...], value: object) -> None:
    read: object = spec.parse(document.parse(text.encode(), FILE))
    for name in path:
        read = getattr(read, name)
    assert read == value


@pytest.mark.parametrize("name", catalogue.specs())
def test_spec_survives_being_written_to_a_report_and_read_again(name: str) -> None:
    one = catalogue.specs()[name]
    assert DomainSpec.model_validate_json(one.model_dump_json()) == one
