"""A lab host as a check may use it: boot a guest from a spec, look at it from inside, take data back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from domains.errors import CapabilityMissing
from domains.spec import DomainSpec
from grader.api.parts import Ended
from grader.checks import words
from grader.language import Lang
from grader.results.result import Outcome

if TYPE_CHECKING:
    from domains.guest import Guest
    from domains.host import Host
    from domains.lifecycle import Domain

# Another grading, or a measuring run, has the host meanwhile.
_LEASE_SECONDS = 900.0
# A guest under emulation inside an emulated host is slow.
_READY_SECONDS = 300.0
_NETWORK = "02"
_LOOK = (
    "for d in /sys/bus/pci/devices/*; do r=$(readlink -f $d); w=$(readlink $d/driver);"
    ' echo "${d##*/} $(cat $d/vendor) $(cat $d/device) $(cat $d/class) ${w##*/} $r"; done'
)


@dataclass(frozen=True)
class PciDevice:
    """A function of the PCI tree; ids and class are hexadecimal, ``above`` are the bridges down to it."""

    address: str
    vendor: str
    device: str
    class_: str
    driver: str
    above: tuple[str, ...] = ()

    @property
    def is_network(self) -> bool:
        """Whether it is a network card, by its class."""
        return self.class_.startswith(_NETWORK)


@dataclass(frozen=True)
class Inside:
    """What a guest showed from inside; ``ran`` is what really ran, as in a report's ``ran``."""

    driver: str
    devices: tuple[PciDevice, ...]
    ran: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def network(self) -> tuple[PciDevice, ...]:
        """The network cards of the PCI tree."""
        return tuple(one for one in self.devices if one.is_network)

    def tree(self) -> str:
        """Return the PCI tree as text, a line a function, indented below its bridges."""
        return "\n".join(
            f"{'  ' * len(one.above)}{one.address} {one.vendor}:{one.device} class {one.class_}"
            + (f" driver {one.driver}" if one.driver else "")
            for one in sorted(self.devices, key=lambda one: (*one.above, one.address))
        )


class NoLabHost(Ended):
    """A check needs a guest, and nobody named a lab host."""

    def __init__(self, lang: Lang) -> None:
        super().__init__(Outcome.SKIPPED, words.NO_LAB_HOST.say(lang))


class LabHost:
    """A lab host by its name, or none; a guest of the same spec is booted once a process."""

    def __init__(self, name: str | None, lang: Lang = "en") -> None:
        self._name = name
        self._lang = lang

    @property
    def name(self) -> str:
        """The name of the lab host; none ends the test as SKIPPED."""
        if self._name is None:
            raise NoLabHost(self._lang)
        return self._name

    def look(self, spec: DomainSpec) -> Inside:
        """Boot a guest, look at it from inside, and end it; nothing of a submission but the spec goes there.

        No lab host, or one that cannot run it, ends the test as SKIPPED; whatever breaks is ERROR.
        """
        # The name is the student's own, and no other guest.
        found = _looked(self.name, spec.model_copy(update={"name": "guest"}))
        if isinstance(found, tuple):
            cause, remedy = found
            raise Ended(Outcome.SKIPPED, words.HOST_REFUSES.say(self._lang, cause=cause, remedy=remedy))
        return found


def parse_tree(text: str) -> tuple[PciDevice, ...]:
    """Read the lines that the guest prints: address, ids, class, driver if any, and the place in sysfs."""
    found = []
    for line in text.splitlines():
        address, vendor, device, class_, *rest = line.split()
        above = tuple(step for step in rest[-1].split("/") if step.count(":") == 2 and step != address)
        driver = rest[0] if len(rest) == 2 else ""
        found.append(PciDevice(address, vendor[2:], device[2:], class_[2:], driver, above))
    return tuple(found)


def look_inside(guest: Guest) -> tuple[PciDevice, ...]:
    """Return the PCI tree of a running guest."""
    return parse_tree(guest.shell(_LOOK))


@lru_cache(maxsize=256)
def _looked(name: str, spec: DomainSpec) -> Inside | tuple[str, str]:
    """Return what a guest showed, or why this host cannot run it, with the remedy."""
    from grader.measure import cell

    try:
        with _booted(name, spec) as (host, domain):
            ran = cell.ran(host, domain)
            cell.refuse_other(cell.asked(spec), ran)
            return Inside(ran["driver"], look_inside(domain.guest), ran, domain.boot_to_ready)
    except CapabilityMissing as missing:
        return missing.problem, missing.remedy or "tdlab doctor"


@contextlib.contextmanager
def _booted(name: str, spec: DomainSpec) -> Iterator[tuple[Host, Domain]]:
    """Own a guest on a host from start to end; raises CapabilityMissing where the host cannot run it."""
    from domains import capabilities, daemon, hosts, hypervisor, images, lifecycle, ownership, store
    from domains.hypervisor import LOCAL_URI
    from domains.render import Placement
    from grader.running import interruption

    host = hosts.find(name)
    with contextlib.ExitStack() as held:
        held.enter_context(interruption.patient())
        held.enter_context(_lease(host))
        if host.uri == LOCAL_URI:
            daemon.ensure_running()
        connection = held.enter_context(hypervisor.connected(host.uri))
        ownership.sweep(connection, store.pool(connection))
        able = capabilities.probe(host, connection, say=_quiet)
        if refused := capabilities.refusal(spec, able):
            raise CapabilityMissing(refused.cause, remedy=refused.remedy)
        owner = ownership.this_process(ownership.new_run_id())
        stored = store.keep(connection, images.build(_quiet))
        place = Placement(
            name=f"{ownership.PREFIX}{owner.run}-{spec.name}",
            accelerator=capabilities.choose(able["kvm"]).name,
            kernel=stored.kernel,
            initramfs=stored.initramfs,
            owner=owner,
        )
        net = held.enter_context(lifecycle.network(connection, owner))
        started = lifecycle.running(connection, spec, place, net, 0, ready_within=_READY_SECONDS)
        yield host, held.enter_context(started)


@contextlib.contextmanager
def _lease(host: Host) -> Iterator[None]:
    """Hold a host, waiting for whoever has it now."""
    from domains import lease, wait

    with contextlib.ExitStack() as held:

        def free() -> bool:
            try:
                held.enter_context(lease.on(host))
            except lease.HeldError:
                return False
            return True

        wait.until(free, waiting_for=f"the lease of {host.name}", deadline=_LEASE_SECONDS)
        yield


def _quiet(_: str) -> None:
    """Say nothing: a grading session's messages are its results."""
