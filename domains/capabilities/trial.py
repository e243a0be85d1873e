"""KVM is believed only after our own guest has booted under it; then its counters are put to the test.

A device file that opens proves nothing: there are hosts where /dev/kvm opens and small programs run in it,
while a Linux guest hangs for ever or QEMU aborts. So the trial is a real start, by the code of every start.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from domains import images, lifecycle, ownership, store
from domains.capabilities import model
from domains.capabilities.model import Capability
from domains.capabilities.survey import EMULATOR, Survey
from domains.errors import DeadlineExceeded, GuestError, InfrastructureError
from domains.hypervisor import Hypervisor, connected
from domains.images import GuestImage
from domains.lifecycle import Domain
from domains.render import Placement
from domains.spec import DomainSpec

# Real KVM needs less than 2 s. A machine that is itself virtual may need ten times that, and is given it only
# where the CPU shows the extension: elsewhere a boot that takes longer will never end.
WITHOUT_EXTENSION_SECONDS = 5.0
BARE_METAL_SECONDS = 10.0
NESTED_SECONDS = 60.0
# What starting and ending a guest may take beside its boot.
SLACK_SECONDS = 30.0
SLACK_WITHOUT_EXTENSION_SECONDS = 4.0

# Ports 0x9000 to 0x97cf: no device of our guest answers there, so each read is one exit to QEMU and no more.
PORT_READS = 2000
FIRST_PORT = 0x9000
_TOLERANCE = 0.1
_IO_EXITS = re.compile(r"vcpu\.\d+\.io_exits\.sum")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Verdict:
    """What came out of a trial. ``final`` says whether it holds until something about the host changes."""

    kvm: Capability
    counters: Capability
    final: bool


def deadline(survey: Survey) -> float:
    """Return how long, in seconds, a guest under KVM may take until its agent answers on this host."""
    if survey.extension is None:
        return WITHOUT_EXTENSION_SECONDS
    return NESTED_SECONDS if survey.outer_hypervisor else BARE_METAL_SECONDS


def without_trying(survey: Survey, hypervisor: Hypervisor | None) -> Verdict | None:
    """Return the verdict where there is nothing to try, or None where a guest has to be booted."""
    opened, reason = survey.opened("kvm")
    if opened == "missing":
        return _refused("/dev/kvm is missing", _why_missing(survey), _remedy(survey))
    # QEMU is started by libvirt as a user of its own: that this user may not open it proves nothing yet.
    if opened == "refused" and "ermission" not in reason:
        evidence = f"/dev/kvm does not open: {reason}"
        return _refused(evidence, f"the kernel refuses it{_no_flag(survey)}", _remedy(survey))
    if hypervisor is None:
        cause = "no guest can be tried without libvirt"
        if opened == "refused":
            remedy = "run: sudo usermod -aG libvirt,kvm $USER   and log in again"
            return _refused(f"/dev/kvm does not open: {reason}", "this user may not use KVM", remedy)
        row = model.unknown("kvm", cause=cause, remedy="see the row libvirt", evidence="/dev/kvm opens")
        return Verdict(row, _no_counters("kvm is unknown", row.remedy), final=False)
    return None


def attempt(uri: str, survey: Survey, say: Say) -> Verdict:
    """Boot the tiny guest under KVM, for a few seconds at most, and count the exits of known reads in it."""
    seconds = deadline(survey)
    try:
        image = images.build(say)
    except InfrastructureError as ours:
        return _untried(ours.problem, ours.remedy)
    say(f"trying KVM: booting the tiny guest under it, for {seconds:g} s at most")
    limit = seconds + (SLACK_SECONDS if survey.extension else SLACK_WITHOUT_EXTENSION_SECONDS)
    try:
        return _within(limit, lambda: _with_libvirt(uri, image, survey, seconds))
    except TimeoutError:
        late = f"libvirt did not start and end a guest within {limit:g} s"
        if closed := _closed_to_qemu(survey):
            # libvirt then asks QEMU anew what it can do before each guest.
            remedy = "sudo chgrp kvm /dev/kvm && sudo chmod 660 /dev/kvm, then `tdlab doctor --refresh`"
            return _untried(f"{late}: {closed}", remedy)
        return _untried(late, "restart libvirtd, then `tdlab doctor --refresh`")


def _closed_to_qemu(survey: Survey) -> str | None:
    """Return why the user of libvirt's QEMU, who is in the group kvm, may not open /dev/kvm; or None."""
    seen = survey.lines("kvm")
    if len(seen) < 2:
        return None
    # The name of a group may have spaces, and a mode without any rights is a single 0.
    mode, owner, group = seen[1].split(maxsplit=2)
    of_group, of_others = (int(mode, 8) >> shift & 6 == 6 for shift in (3, 0))
    if of_others or (of_group and group == "kvm"):
        return None
    return f"/dev/kvm is {owner}:{group} {mode}, so QEMU, of the group kvm, may not open it"


def _within(limit: float, work: Callable[[], Verdict]) -> Verdict:
    """Return what ``work`` returns, or raise :class:`TimeoutError` after ``limit`` seconds.

    libvirt's calls have no time-out of their own, and a broken KVM can hold them up for minutes. The thread
    is left to itself then; it ends its guest when libvirt lets it, or libvirt does when this process ends.
    """
    future: Future[Verdict] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as fault:  # noqa: BLE001 - raised again where the result is waited for
            future.set_exception(fault)

    threading.Thread(target=run, name="kvm-trial", daemon=True).start()
    return future.result(timeout=limit)


def _with_libvirt(uri: str, image: GuestImage, survey: Survey, seconds: float) -> Verdict:
    try:
        # A connection of its own: the caller may close its own while this one still waits.
        with connected(uri) as hypervisor:
            stored = store.keep(hypervisor, image)
            owner = ownership.this_process(ownership.new_run_id())
            with lifecycle.network(hypervisor, owner) as network:
                place = Placement(
                    name=f"{ownership.PREFIX}{owner.run}-kvm",
                    accelerator="kvm",
                    emulator=EMULATOR,
                    kernel=stored.kernel,
                    initramfs=stored.initramfs,
                    owner=owner,
                )
                return _boot(hypervisor, survey, place, network, seconds)
    except InfrastructureError as ours:
        return _untried(ours.problem, ours.remedy)


def _untried(problem: str, remedy: str | None) -> Verdict:
    """Return the verdict where no guest was started, so that nothing was learnt about KVM."""
    remedy = remedy or "put this right, then `tdlab doctor --refresh`"
    row = model.unknown("kvm", cause=f"it could not be tried: {problem}", remedy=remedy)
    return Verdict(row, _no_counters("kvm is unknown", remedy), final=False)


def _boot(
    hypervisor: Hypervisor, survey: Survey, place: Placement, network: lifecycle.Network, seconds: float
) -> Verdict:
    spec = DomainSpec(name="kvm-trial", accelerator="kvm")
    ready = False
    try:
        with lifecycle.running(hypervisor, spec, place, network, 0, ready_within=seconds) as domain:
            ready = True
            row = model.yes("kvm", f"a Linux guest was ready {domain.boot_to_ready:.1f} s after its start")
            return Verdict(row, _counters(domain), final=True)
    except InfrastructureError as failed:
        if ready:
            raise
        return judge_failure(survey, failed, seconds)


def judge_failure(survey: Survey, failed: InfrastructureError, seconds: float) -> Verdict:
    """Return the verdict on a guest that did not become ready within ``seconds`` under KVM."""
    if isinstance(failed, DeadlineExceeded):
        return _dead(survey, f"did not boot within {seconds:g} s", final=True)
    if isinstance(failed, GuestError):
        return _dead(survey, "stopped before it was ready", final=True)
    # Want of memory passes; what else QEMU dies of at its start will be the same the next time.
    died = "monitor" in failed.problem and "memory" not in failed.problem.lower()
    return _dead(survey, f"could not be started ({said_by_qemu(failed.problem)})", final=died)


def _dead(survey: Survey, what: str, *, final: bool) -> Verdict:
    opened = "although /dev/kvm opens" if survey.opened("kvm")[0] == "opens" else "under KVM"
    cause = f"a Linux guest {what}, {opened}{_no_flag(survey)}"
    modules = ", ".join(survey.modules) or "none"
    return _refused(
        f"booted the tiny guest in vain; kvm modules: {modules}", cause, _remedy(survey), final=final
    )


def said_by_qemu(problem: str) -> str:
    """Return the words of QEMU itself from libvirt's error, or its first line where QEMU said nothing."""
    said = re.search(r"qemu-system-x86_64: (?:error: )?(.+)", problem)
    return said[1].strip() if said else problem.strip().partition("\n")[0]


def _counters(domain: Domain) -> Capability:
    """Read ports that nobody answers and see whether the I/O exits rise by that number."""
    try:
        before = domain.machine.statistics()
        domain.guest.shell(port_reads(0))
        between = domain.machine.statistics()
        domain.guest.shell(port_reads(PORT_READS))
        after = domain.machine.statistics()
    except InfrastructureError as failed:
        remedy = "put this right, then `tdlab doctor --refresh`"
        return model.unknown("counters", cause=f"the test could not be run: {failed.problem}", remedy=remedy)
    return judge_counters(before, between, after)


def port_reads(count: int) -> str:
    """Return the line of shell that reads ``count`` ports, one byte each, beginning at ``FIRST_PORT``."""
    return f"dd if=/dev/port of=/dev/null bs=1 skip={FIRST_PORT} count={count} 2>&1"


def judge_counters(
    before: Mapping[str, Any], between: Mapping[str, Any], after: Mapping[str, Any], reads: int = PORT_READS
) -> Capability:
    """Return the row ``counters`` from statistics before nothing, between, and after ``reads`` port reads.

    What the agent itself causes happens in both halves and is subtracted.
    """
    values = [io_exits(statistics) for statistics in (before, between, after)]
    start, middle, end = values
    remedy = "use libvirt 8.9 or newer, QEMU 7.1 or newer and a kernel with KVM statistics"
    if start is None or middle is None or end is None:
        cause = "not measurable here: libvirt reports no io_exits"
        return model.no("counters", "no key vcpu.*.io_exits.sum", cause=cause, remedy=remedy)
    seen = (end - middle) - (middle - start)
    evidence = f"{reads} port reads raised io_exits by {seen}"
    if abs(seen - reads) <= _TOLERANCE * reads:
        return model.yes("counters", evidence)
    return model.no(
        "counters",
        evidence,
        cause="not measurable here: this KVM does not count the exits that certainly happened",
        remedy="use a host whose counters are right",
    )


def io_exits(statistics: Mapping[str, Any]) -> int | None:
    """Return the I/O exits of all vCPUs together, or None when libvirt does not report them."""
    found = [int(value) for key, value in statistics.items() if _IO_EXITS.fullmatch(key)]
    return sum(found) if found else None


def _refused(evidence: str, cause: str, remedy: str, *, final: bool = False) -> Verdict:
    row = model.no("kvm", evidence, cause=cause, remedy=remedy)
    return Verdict(row, _no_counters("TCG has no VM exits, and KVM does not work here", remedy), final)


def _no_counters(cause: str, remedy: str | None) -> Capability:
    return model.no("counters", "not tried", cause=cause, remedy=remedy or model.ELSEWHERE)


def _why_missing(survey: Survey) -> str:
    if survey.kvm_module:
        return f"{survey.kvm_module} is loaded, and yet there is no device file: this may be a container"
    if survey.extension:
        return f"the CPU shows {survey.extension}, and kvm_{survey.vendor} is not loaded"
    return f"no KVM module drives this CPU{_no_flag(survey)}"


def _no_flag(survey: Survey) -> str:
    """Return the rest of a sentence: that the CPU shows no extension, and what this host is."""
    if survey.extension or not survey.cpu:
        return ""
    below = survey.outer_hypervisor
    inside = f", and this host is itself a virtual machine ({below})" if below else ""
    return f"; /proc/cpuinfo shows neither vmx nor svm{inside}"


def _remedy(survey: Survey) -> str:
    """Say what would bring KVM, from what is missing."""
    if survey.kvm_module:
        return (
            f"pass /dev/kvm on if this is a container, and read the kernel log (dmesg); or {model.ELSEWHERE}"
        )
    if survey.extension:
        module = f"kvm_{survey.vendor or 'intel'}"
        return f"run: sudo modprobe {module}   and read the kernel log; or {model.ELSEWHERE}"
    if survey.outer_hypervisor:
        return f"let the hypervisor below pass nested virtualisation on to this machine; or {model.ELSEWHERE}"
    name = {"intel": "VT-x", "amd": "SVM"}.get(survey.vendor or "", "VT-x or SVM")
    return f"enable {name} in the firmware set-up; or {model.ELSEWHERE}"
