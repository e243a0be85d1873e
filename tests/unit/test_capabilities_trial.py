"""The trial of KVM and of its counters, without KVM: what is concluded from what happened."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from domains import images, lifecycle
from domains import store as stores
from domains.capabilities import survey as surveys
from domains.capabilities import trial
from domains.errors import DeadlineExceeded, GuestError, HypervisorError, InfrastructureError
from domains.hypervisor import Hypervisor

HOSTS = Path(__file__).parent.parent / "data" / "hosts"
URI = "test:///default"
LIBVIRT = cast("Hypervisor", object())  # there, and never asked

ABORTED = """libvirt could not start the guest: internal error: QEMU unexpectedly closed the monitor: \
2026-01-02T03:04:05.678Z qemu-system-x86_64: error: failed to set MSR 0x10a to 0xc000069
qemu-system-x86_64: target/i386/kvm/kvm.c:3849: kvm_buf_set_msrs: Assertion `ret == n' failed."""


def host(name: str, **replaced: str) -> surveys.Survey:
    seen = surveys.parse((HOSTS / f"{name}.txt").read_text())
    return surveys.Survey({**seen.sections, **replaced})


@pytest.mark.parametrize(
    ("name", "replaced", "seconds"),
    [
        ("virtual-machine", {}, 5.0),
        ("intel-workstation", {}, 10.0),
        ("amd-server", {"cpuinfo": "vendor_id : AuthenticAMD\nflags : svm npt hypervisor"}, 60.0),
    ],
)
def test_only_a_nested_host_that_shows_the_extension_gets_a_long_deadline(
    name: str, replaced: dict[str, str], seconds: float
) -> None:
    assert trial.deadline(host(name, **replaced)) == seconds


@pytest.mark.parametrize("hypervisor", [None, LIBVIRT])
def test_a_missing_device_is_said_without_booting(hypervisor: Hypervisor | None) -> None:
    verdict = trial.without_trying(host("locked-laptop"), hypervisor)
    assert verdict is not None
    assert verdict.kvm.status == verdict.counters.status == "no"
    assert verdict.kvm.evidence == "/dev/kvm is missing"
    assert "neither vmx nor svm" in (verdict.kvm.cause or "")
    assert "VT-x in the firmware" in (verdict.kvm.remedy or "")


def test_a_missing_device_with_a_loaded_module_is_a_container() -> None:
    verdict = trial.without_trying(host("intel-workstation", kvm="missing"), LIBVIRT)
    assert verdict is not None
    assert "container" in (verdict.kvm.cause or "")


def test_a_missing_device_with_the_extension_wants_the_module() -> None:
    verdict = trial.without_trying(host("intel-workstation", kvm="missing", modules="kvm"), LIBVIRT)
    assert verdict is not None
    assert "modprobe kvm_intel" in (verdict.kvm.remedy or "")


def test_a_device_that_the_kernel_refuses_is_no_kvm() -> None:
    verdict = trial.without_trying(host("virtual-machine", kvm="refused No such device"), LIBVIRT)
    assert verdict is not None
    assert verdict.kvm.evidence == "/dev/kvm does not open: No such device"


def test_a_device_that_only_this_user_may_not_open_is_tried_by_libvirt() -> None:
    seen = host("intel-workstation", kvm="refused Permission denied")
    assert trial.without_trying(seen, LIBVIRT) is None
    alone = trial.without_trying(seen, None)
    assert alone is not None
    assert "usermod -aG libvirt,kvm" in (alone.kvm.remedy or "")


def test_without_libvirt_an_open_device_proves_nothing() -> None:
    verdict = trial.without_trying(host("intel-workstation"), None)
    assert verdict is not None
    assert verdict.kvm.status == "unknown"
    assert not verdict.final


def test_a_guest_that_hangs_is_a_final_no_with_the_reasons_seen() -> None:
    verdict = trial.judge_failure(host("virtual-machine"), DeadlineExceeded("the agent", 5), 5)
    assert verdict.final
    assert verdict.kvm.status == verdict.counters.status == "no"
    assert verdict.kvm.cause == (
        "a Linux guest did not boot within 5 s, although /dev/kvm opens; /proc/cpuinfo shows neither vmx nor"
        " svm, and this host is itself a virtual machine (kvm)"
    )
    assert "lab host with working KVM" in (verdict.kvm.remedy or "")
    assert "TCG has no VM exits" in (verdict.counters.cause or "")


def test_a_guest_that_stops_is_a_final_no() -> None:
    verdict = trial.judge_failure(host("intel-workstation"), GuestError("stopped"), 10)
    assert verdict.final
    assert verdict.kvm.cause == "a Linux guest stopped before it was ready, although /dev/kvm opens"
    assert "kernel log" in (verdict.kvm.remedy or "")


def test_qemus_own_words_are_taken_out_of_libvirts() -> None:
    verdict = trial.judge_failure(host("virtual-machine"), HypervisorError(ABORTED), 5)
    assert verdict.final
    assert "(failed to set MSR 0x10a to 0xc000069)" in (verdict.kvm.cause or "")
    assert trial.said_by_qemu("libvirt could not start the guest: no such file\nmore") == (
        "libvirt could not start the guest: no such file"
    )


@pytest.mark.parametrize(
    "problem",
    [
        "libvirt could not start the guest: unsupported configuration",
        "libvirt could not start the guest: internal error: process exited while connecting to monitor: "
        "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory",
    ],
)
def test_what_may_pass_is_not_remembered(problem: str) -> None:
    verdict = trial.judge_failure(host("virtual-machine"), HypervisorError(problem), 5)
    assert verdict.kvm.status == "no"
    assert not verdict.final


def statistics(*per_vcpu: int) -> dict[str, Any]:
    return {f"vcpu.{n}.io_exits.sum": count for n, count in enumerate(per_vcpu)} | {"vcpu.0.exits.sum": 9}


@pytest.mark.parametrize(
    ("before", "between", "after", "status"),
    [
        ((10, 0), (60, 0), (2110, 0), "yes"),  # the agent costs 50 in each half
        ((10, 5), (10, 5), (1000, 1000), "yes"),  # the reads may move from one vCPU to another
        ((0,), (0,), (2200,), "yes"),
        ((0,), (0,), (2201,), "no"),
        ((0,), (0,), (0,), "no"),  # a KVM that never counts
        ((0,), (5000,), (10000,), "no"),  # one that counts something else
    ],
)
def test_counters_must_rise_by_what_happened(
    before: tuple[int, ...], between: tuple[int, ...], after: tuple[int, ...], status: str
) -> None:
    row = trial.judge_counters(statistics(*before), statistics(*between), statistics(*after), reads=2000)
    assert row.status == status
    assert "2000 port reads raised io_exits by" in row.evidence
    assert status == "yes" or "not measurable here" in (row.cause or "")


def test_a_counter_that_libvirt_does_not_report_is_not_zero() -> None:
    assert trial.io_exits({"vcpu.0.exits.sum": 7}) is None
    row = trial.judge_counters({}, {}, {})
    assert row.status == "no"
    assert "reports no io_exits" in (row.cause or "")


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Everything around a start, replaced; ``fails`` is raised where a guest would boot."""
    made = SimpleNamespace(fails=None, shell_fails=None, ready_within=None, counts=iter([0, 0, 2000]))

    def shell(_script: str) -> str:
        if made.shell_fails:
            raise made.shell_fails
        return ""

    @contextlib.contextmanager
    def network(*_: object) -> Iterator[object]:
        yield object()

    @contextlib.contextmanager
    def running(_hypervisor: object, spec: Any, place: Any, *_: object, ready_within: float) -> Iterator[Any]:
        assert (spec.accelerator, place.accelerator) == ("kvm", "kvm")
        assert place.name.startswith("tdlab-")
        assert place.owner is not None
        made.ready_within = ready_within
        if made.fails:
            raise made.fails
        yield SimpleNamespace(
            boot_to_ready=1.4,
            machine=SimpleNamespace(statistics=lambda: statistics(next(made.counts))),
            guest=SimpleNamespace(shell=shell),
        )

    @contextlib.contextmanager
    def connected(uri: str) -> Iterator[object]:
        assert uri == URI
        yield object()

    monkeypatch.setattr(trial, "connected", connected)
    monkeypatch.setattr(images, "build", lambda say: object())
    monkeypatch.setattr(stores, "keep", lambda *_: stores.StoredImage("/k", "/i"))
    monkeypatch.setattr(lifecycle, "network", network)
    monkeypatch.setattr(lifecycle, "running", running)
    return made


def test_a_guest_that_boots_is_believed_and_its_counters_are_tested(guest: SimpleNamespace) -> None:
    said: list[str] = []
    verdict = trial.attempt(URI, host("intel-workstation"), said.append)
    assert verdict.final
    assert (verdict.kvm.status, verdict.counters.status) == ("yes", "yes")
    assert verdict.kvm.evidence == "a Linux guest was ready 1.4 s after its start"
    assert guest.ready_within == 10.0
    assert said == ["trying KVM: booting the tiny guest under it, for 10 s at most"]


def test_a_guest_that_does_not_boot_is_refused(guest: SimpleNamespace) -> None:
    guest.fails = DeadlineExceeded("the agent", 5)
    assert trial.attempt(URI, host("virtual-machine"), lambda _: None).kvm.status == "no"


def test_counters_that_cannot_be_tested_leave_kvm_believed(guest: SimpleNamespace) -> None:
    guest.shell_fails = GuestError("the agent is gone")
    verdict = trial.attempt(URI, host("intel-workstation"), lambda _: None)
    assert (verdict.kvm.status, verdict.counters.status) == ("yes", "unknown")
    assert "the agent is gone" in (verdict.counters.cause or "")


def test_what_fails_before_the_start_says_nothing_about_kvm(
    guest: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise InfrastructureError("no space left", remedy="make room")

    monkeypatch.setattr(stores, "keep", full)
    verdict = trial.attempt(URI, host("intel-workstation"), lambda _: None)
    assert (verdict.kvm.status, verdict.kvm.remedy) == ("unknown", "make room")
    assert "no space left" in (verdict.kvm.cause or "")
    assert not verdict.final


def test_an_image_that_cannot_be_made_says_nothing_about_kvm(
    guest: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(_say: object) -> None:
        raise InfrastructureError("the guest image cannot be made", remedy="check the network")

    monkeypatch.setattr(images, "build", offline)
    verdict = trial.attempt(URI, host("intel-workstation"), lambda _: None)
    assert (verdict.kvm.status, verdict.kvm.remedy, verdict.final) == ("unknown", "check the network", False)


def test_a_libvirt_that_does_not_answer_is_not_waited_for(
    guest: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def store(*_: object) -> None:
        answers.wait()
        raise InfrastructureError("too late")

    monkeypatch.setattr(stores, "keep", store)
    monkeypatch.setattr(trial, "WITHOUT_EXTENSION_SECONDS", 0.0)
    monkeypatch.setattr(trial, "SLACK_WITHOUT_EXTENSION_SECONDS", 0.0)
    verdict = trial.attempt(URI, host("virtual-machine"), lambda _: None)
    answers.set()
    assert (verdict.kvm.status, verdict.final) == ("unknown", False)
    assert "libvirt did not start and end a guest" in (verdict.kvm.cause or "")


@pytest.mark.parametrize(
    ("access", "closed"),
    [
        ("660 root kvm", None),
        ("666 root ssl-cert", None),
        ("660 root ssl-cert", "/dev/kvm is root:ssl-cert 660, so QEMU, of the group kvm, may not open it"),
        ("0 root kvm", "/dev/kvm is root:kvm 0, so QEMU, of the group kvm, may not open it"),
        ("660 root domain users", "/dev/kvm is root:domain users 660, so QEMU, of the group kvm, may"),
        ("600 root kvm", "/dev/kvm is root:kvm 600, so QEMU, of the group kvm, may not open it"),
    ],
)
def test_a_device_that_qemu_may_not_open_is_named_where_libvirt_takes_too_long(
    access: str, closed: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(images, "build", lambda _say: None)
    monkeypatch.setattr(trial, "_within", late)
    row = trial.attempt(URI, host("virtual-machine", kvm=f"opens\n{access}"), lambda _: None).kvm
    assert row.status == "unknown"
    assert (closed or "guest within") in (row.cause or "")
    assert ("chgrp kvm" in (row.remedy or "")) is (closed is not None)


def test_a_fault_of_ours_in_the_trial_is_not_hidden(
    guest: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(stores, "keep", wrong)
    with pytest.raises(KeyError, match="ours"):
        trial.attempt(URI, host("virtual-machine"), lambda _: None)
