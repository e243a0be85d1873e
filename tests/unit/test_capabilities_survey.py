"""One script's text, recorded or made by hand, and what is read from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains import process
from domains.capabilities import survey as surveys
from domains.capabilities.model import HugePages
from domains.errors import InfrastructureError
from domains.host import Host

HOSTS = Path(__file__).parent.parent / "data" / "hosts"


def host(name: str) -> surveys.Survey:
    return surveys.parse((HOSTS / f"{name}.txt").read_text())


def test_a_virtual_machine_shows_no_extension_and_names_what_it_runs_on() -> None:
    seen = host("virtual-machine")
    assert (seen.vendor, seen.extension, seen.outer_hypervisor) == ("amd", None, "kvm")
    assert seen.modules == {"kvm": {}}
    assert seen.kvm_module is None


def test_bare_metal_is_not_taken_for_a_virtual_machine() -> None:
    seen = host("intel-workstation")
    assert (seen.vendor, seen.extension, seen.outer_hypervisor) == ("intel", "vmx", None)
    assert {"ept", "unrestricted_guest", "vpid"} <= seen.cpu_flags  # the last two are only in "vmx flags"


@pytest.mark.parametrize(
    ("name", "module", "ept", "npt", "nested"),
    [
        ("intel-workstation", "kvm_intel", True, None, True),
        ("amd-server", "kvm_amd", None, False, False),
        ("locked-laptop", None, None, None, None),
    ],
)
def test_module_parameters_are_read_from_letters_and_digits(
    name: str, module: str | None, ept: bool | None, npt: bool | None, nested: bool | None
) -> None:
    seen = host(name)
    assert seen.kvm_module == module
    assert [seen.parameter(key) for key in ("ept", "npt", "nested")] == [ept, npt, nested]


@pytest.mark.parametrize(
    ("name", "device", "expected"),
    [
        ("virtual-machine", "kvm", ("opens", "")),
        ("virtual-machine", "vhost-net", ("missing", "")),
        ("intel-workstation", "vhost-net", ("refused", "Permission denied")),
        ("mute", "kvm", ("unknown", "")),
    ],
)
def test_a_device_opens_is_missing_is_refused_or_cannot_be_told(
    name: str, device: str, expected: tuple[str, str]
) -> None:
    assert host(name).opened(device) == expected


def test_pci_functions_carry_group_driver_pf_vfs_and_interfaces() -> None:
    functions = {function.address: function for function in host("intel-workstation").pci}
    pf, vf, bare = functions["0000:01:00.0"], functions["0000:01:10.0"], functions["0000:01:10.2"]
    assert (pf.vfs_possible, pf.vfs_enabled, pf.pf, pf.iommu_group) == (7, 2, None, 1)
    assert (vf.pf, vf.driver, vf.interfaces) == ("0000:01:00.0", "igbvf", ("enp1s0v0",))
    assert (bare.driver, bare.interfaces) == (None, ())
    assert functions["0000:00:01.0"].is_bridge
    assert not functions["0000:03:00.1"].is_nic


def test_a_virtio_nic_belongs_to_the_pci_function_above_it() -> None:
    nic = next(function for function in host("virtual-machine").pci if function.is_nic)
    assert (nic.address, nic.interfaces) == ("0000:00:03.0", ("eth0",))


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("virtual-machine", {"0000:00:03.0"}),  # by the default route
        ("intel-workstation", {"0000:00:1f.6"}),  # a port of the bridge that holds the default route
        ("amd-server", {"0000:41:00.0"}),  # by our own login
        ("mute", set()),
    ],
)
def test_the_nic_that_the_host_is_reached_by_is_known(name: str, addresses: set[str]) -> None:
    assert host(name).management == addresses


def test_numbers_of_the_host() -> None:
    seen = host("intel-workstation")
    assert seen.cpus == {0, 1, 2, 3, 4, 5, 8}
    assert seen.hugepages == (HugePages(2**21, 512, 256), HugePages(2**30, 0, 0))
    assert seen.memory_total == 16219048 * 1024
    assert seen.bridges == {"br0", "virbr0"}


def test_what_was_not_told_is_unknown_rather_than_zero() -> None:
    seen = host("mute")
    assert (seen.cpus, seen.memory_total, seen.vendor, seen.cpu) == (None, None, None, {})
    assert seen.pci == ()


def test_a_host_that_cannot_run_the_script_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(argv: list[str], **_: object) -> process.Completed:
        return process.Completed(tuple(argv), 255, "", "Host key verification failed.\n", 0.0)

    monkeypatch.setattr(process, "run", refuse)
    with pytest.raises(
        InfrastructureError, match=r"lab3 could not be looked at: Host key verification failed"
    ):
        surveys.look(Host("lab3", ssh=("ssh", "lab3")))


def test_the_whole_survey_is_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def answer(argv: list[str], **_: object) -> process.Completed:
        ran.append(argv)
        return process.Completed(tuple(argv), 0, (HOSTS / "amd-server.txt").read_text(), "", 0.0)

    monkeypatch.setattr(process, "run", answer)
    assert surveys.look(Host("lab3", ssh=("ssh", "lab3"))).vendor == "amd"
    assert [argv[:2] for argv in ran] == [["ssh", "lab3"]]


def test_the_script_runs_here_as_it_is() -> None:
    seen = surveys.look(Host())
    assert seen.text("kernel").startswith("Linux ")
    assert seen.lines("user")[0].isdigit()
    assert set(seen.sections) >= {"kvm", "vhost-net", "pci", "interfaces", "qemu-devices", "end"}
