"""The script that changes devices: run for real by a shell, on a tree made by hand."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from domains.devices import steps
from domains.devices.steps import carry_out
from domains.errors import DeadlineExceeded, InfrastructureError, UsageError
from domains.host import Host

VF = "0000:01:10.0"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with one device bound to igbvf, and programs that only note how they were called."""
    made = tmp_path / "host"
    device, group = made / "sys/bus/pci/devices" / VF, made / "sys/kernel/iommu_groups/50"
    for folder in (device, group, made / "proc/4711/fd", made / "run"):
        folder.mkdir(parents=True)
    for driver in ("igbvf", "vfio-pci"):
        (made / "sys/bus/pci/drivers" / driver).mkdir(parents=True)
    (device / "driver").symlink_to(made / "sys/bus/pci/drivers/igbvf")
    (device / "iommu_group").symlink_to(group)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in (("ip", 'echo "$*" >>"$CALLS"'), ("id", "echo 0"), ("modprobe", "exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return made


def do(root: Path, *wanted: steps.Step) -> None:
    carry_out(Host(), wanted, what="do it", root=str(root))


def text(root: Path, path: str) -> str:
    return (root / path).read_text()


def test_values_are_written_one_after_the_other(root: Path) -> None:
    do(root, ("write", "/run/a", "0"), ("write", "/run/b", "2"))
    assert (text(root, "run/a"), text(root, "run/b")) == ("0\n", "2\n")


def test_the_kernels_words_reach_the_user_and_end_the_steps(root: Path) -> None:
    with pytest.raises(
        InfrastructureError, match=r"cannot do it on localhost: 2 into .*/a/b: No such file"
    ) as broken:
        do(root, ("write", "/run/a/b", "2"), ("write", "/run/c", "1"))
    assert "dmesg" in (broken.value.remedy or "")
    assert not (root / "run/c").exists()


def test_a_device_changes_drivers_by_override(root: Path) -> None:
    do(root, ("bind", VF, "vfio-pci", "vfio-pci"))
    device = f"sys/bus/pci/devices/{VF}"
    assert text(root, "sys/bus/pci/drivers/igbvf/unbind") == f"{VF}\n"
    assert text(root, "sys/bus/pci/drivers/vfio-pci/bind") == f"{VF}\n"
    assert text(root, f"{device}/driver_override") == "vfio-pci\n"


def test_a_device_that_has_its_driver_already_only_gets_its_override(root: Path) -> None:
    do(root, ("bind", VF, "igbvf", "-"), ("bound", VF, "igbvf"))
    assert text(root, f"sys/bus/pci/devices/{VF}/driver_override") == "\n"
    assert not (root / "sys/bus/pci/drivers/igbvf/unbind").exists()


def test_a_device_is_left_without_a_driver(root: Path) -> None:
    do(root, ("bind", VF, "-", "-"))
    assert text(root, "sys/bus/pci/drivers/igbvf/unbind") == f"{VF}\n"


def test_a_binding_is_read_back(root: Path) -> None:
    with pytest.raises(InfrastructureError, match=f"{VF} has driver igbvf, not vfio-pci"):
        do(root, ("bound", VF, "vfio-pci"))


def test_a_driver_that_the_kernel_lacks_is_named(root: Path) -> None:
    with pytest.raises(InfrastructureError, match="this kernel has no driver ixgbe"):
        do(root, ("bind", VF, "ixgbe", "-"))


def test_a_record_is_never_written_over(root: Path) -> None:
    do(root, ("keep", "link-a", '{"by": "me"}'))
    assert text(root, "run/tdlab/devices/link-a") == '{"by": "me"}\n'
    with pytest.raises(UsageError, match=r'under way: \{"by": "me"\}'):
        do(root, ("keep", "link-a", '{"by": "you"}'))
    assert text(root, "run/tdlab/devices/link-a") == '{"by": "me"}\n'
    assert [file.name for file in (root / "run/tdlab/devices").iterdir()] == ["link-a"]
    do(root, ("drop", "link-a"), ("drop", "link-a"))
    assert not list((root / "run/tdlab/devices").iterdir())


def test_nothing_is_put_back_of_what_is_gone(root: Path) -> None:
    do(root, ("keep", "link-a", "{}"))
    do(root, ("gone", "/sys/class/net/a", "link-a"), ("link", "a", "down"))
    assert not list((root / "run/tdlab/devices").iterdir())
    do(root, ("gone", f"/sys/bus/pci/devices/{VF}", "link-b"), ("write", "/run/there", "1"))
    assert (root / "run/there").exists()


def test_a_guest_that_holds_a_device_is_waited_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_RELEASED_SECONDS", 0.0)
    do(root, ("idle", VF))
    (root / "proc/4711/fd/12").symlink_to("/dev/vfio/50")
    with pytest.raises(DeadlineExceeded, match=f"{VF} is still held by a guest") as late:
        do(root, ("idle", VF), ("bind", VF, "-", "-"))
    assert "end the guest" in (late.value.remedy or "")
    assert not (root / "sys/bus/pci/drivers/igbvf/unbind").exists()
    (root / "proc/4711/fd/12").unlink()
    (root / "proc/4711/fd/12").symlink_to("/dev/vfio/501")  # another group, whose number begins alike
    do(root, ("idle", VF))


def test_vfs_that_are_held_hold_their_pf(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_RELEASED_SECONDS", 0.0)
    pf = root / "sys/bus/pci/devices/0000:01:00.0"
    pf.mkdir()
    (pf / "virtfn0").symlink_to(root / "sys/bus/pci/devices" / VF)
    do(root, ("idle", "0000:01:00.0"))
    (root / "proc/4711/fd/12").symlink_to("/dev/vfio/50")
    with pytest.raises(DeadlineExceeded, match="virtfn0 is still held"):
        do(root, ("idle", "0000:01:00.0"))


def test_udev_is_waited_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_RELEASED_SECONDS", 0.0)
    with pytest.raises(DeadlineExceeded, match=f"{VF} has no enp1s0v0 yet"):
        do(root, ("named", VF, "enp1s0v0"))
    (root / f"sys/bus/pci/devices/{VF}/net/enp1s0v0").mkdir(parents=True)
    do(root, ("named", VF, "enp1s0v0"))


def test_links_and_addresses_are_iproutes(root: Path, tmp_path: Path) -> None:
    do(
        root,
        ("link", "a", "up"),
        ("address", "a", "10.0.0.1/24", "-"),
        ("address", "a", "10.0.0.1/32", "10.0.0.9/32"),
        ("unaddress", "a", "10.0.0.1/24", "-"),
        ("unaddress", "a", "10.0.0.1/32", "10.0.0.9/32"),
    )
    assert (tmp_path / "calls").read_text().splitlines() == [
        "link set a up",
        "address replace 10.0.0.1/24 dev a",
        "address replace 10.0.0.1 peer 10.0.0.9/32 dev a",
        "address delete 10.0.0.1/24 dev a",
        "address delete 10.0.0.1 peer 10.0.0.9/32 dev a",
    ]


def test_a_step_that_does_not_exist_is_an_error(root: Path) -> None:
    with pytest.raises(InfrastructureError, match="no step dance"):
        do(root, ("dance",))


def test_who_is_not_root_asks_sudo_without_a_question(root: Path, tmp_path: Path) -> None:
    (tmp_path / "bin/id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "bin/sudo").write_text('#!/bin/sh\necho "sudo $1" >>"$CALLS"\nshift\nexec "$@"\n')
    (tmp_path / "bin/sudo").chmod(0o755)
    do(root, ("write", "/run/a", "1"))
    assert text(root, "run/a") == "1\n"
    assert (tmp_path / "calls").read_text() == "sudo -n\n"


def test_one_script_at_a_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_RELEASED_SECONDS", 0.0)
    monkeypatch.setattr(steps, "SCRIPT", _impatient(root.parent))
    do(root, ("write", "/run/a", "1"))
    with (root / "run/tdlab/devices.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DeadlineExceeded, match="another change is under way"):
            do(root, ("write", "/run/b", "1"))
    do(root, ("write", "/run/c", "1"))
    assert not (root / "run/b").exists()
    assert (root / "run/c").exists()


def _impatient(folder: Path) -> Path:
    """The script as it is, but for how long it waits for another."""
    script = steps.SCRIPT.read_text()
    assert script.count("flock -w 40") == 1
    (folder / "steps.sh").write_text(script.replace("flock -w 40", "flock -w 0"))
    return folder / "steps.sh"
