"""How a run's guests start: the tiny guest by its kernel, or an ordinary cloud image from a disk.

Each cell has a guest of its own, or those that differ in their NIC only share one and plug theirs in.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from domains import lifecycle, plugged, store
from domains.cloud import guest as cloud_guest
from domains.cloud.image import CloudImage
from domains.hypervisor import Hypervisor
from domains.images import GuestImage
from domains.lifecycle import Domain, Network
from domains.plugged import Carrier
from domains.render import Owner, Placement
from domains.spec import DomainSpec

Start = Callable[[DomainSpec, Placement, Network, int], AbstractContextManager[Domain]]


@dataclass(frozen=True)
class Booting:
    """What all guests of a run have in common, and what owns one of them from start to end."""

    place: Placement
    start: Start
    # Around what is done with a guest that stands still before and after it.
    linked: Callable[[Domain], AbstractContextManager[None]] = contextlib.nullcontext  # type: ignore[assignment]
    # Has a guest that is ready stand still.
    settle: Callable[[Domain], None] = lambda domain: domain.machine.pause()


@contextlib.contextmanager
def ready(
    hypervisor: Hypervisor, owner: Owner, tiny: GuestImage, cloud: CloudImage | None, scratch: Path
) -> Iterator[Booting]:
    """Have the image where guests can start from it; ``scratch`` is for what a cloud image's guests need."""
    if cloud is None:
        stored = store.keep(hypervisor, tiny)
        place = Placement(kernel=stored.kernel, initramfs=stored.initramfs, owner=owner)
        yield Booting(place, functools.partial(lifecycle.running, hypervisor))
        return
    with cloud_guest.prepared(hypervisor, cloud, tiny, scratch, owner) as base:
        place = Placement(kernel=None, initramfs=None, owner=owner)
        yield Booting(place, functools.partial(cloud_guest.running, hypervisor, base))


@dataclass
class Plugging:
    """Starts the guests of one group; ``held`` ends those that are shared, before their cells give back."""

    hypervisor: Hypervisor
    alone: Booting
    held: contextlib.ExitStack
    nics: int
    carriers: dict[str, Carrier] = field(default_factory=dict)

    def booting(self) -> Booting:
        """Return how the guests of the group start."""
        return dataclasses.replace(self.alone, start=self._start, linked=self._linked, settle=self._settle)

    @contextlib.contextmanager
    def _start(self, spec: DomainSpec, place: Placement, net: Network, number: int) -> Iterator[Domain]:
        if spec.machine != "q35":
            with self.alone.start(spec, place, net, number) as domain:
                yield domain
            return
        with self._carrier(spec, place, net).plugged(spec, number) as domain:
            yield domain

    def _carrier(self, spec: DomainSpec, place: Placement, net: Network) -> Carrier:
        key = spec.model_dump_json(exclude={"name", "nic"}) + place.accelerator
        if key not in self.carriers:
            number = self.nics + len(self.carriers)
            shared = dataclasses.replace(place, name=f"{place.name}-and-others")
            self.carriers[key] = self.held.enter_context(
                plugged.carrier(self.hypervisor, spec, shared, net, number, self.nics)
            )
        return self.carriers[key]

    def _of(self, domain: Domain) -> Carrier | None:
        return next((one for one in self.carriers.values() if one.domain.machine is domain.machine), None)

    @contextlib.contextmanager
    def _linked(self, domain: Domain) -> Iterator[None]:
        carrier = self._of(domain)
        with carrier.linked(domain) if carrier else contextlib.nullcontext():
            yield

    def _settle(self, domain: Domain) -> None:
        if carrier := self._of(domain):
            carrier.settle(domain)
        else:
            self.alone.settle(domain)
