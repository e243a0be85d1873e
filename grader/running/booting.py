"""How a run's guests start: the tiny guest by its kernel, or an ordinary cloud image from a disk."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from domains import lifecycle, store
from domains.cloud import guest as cloud_guest
from domains.cloud.image import CloudImage
from domains.hypervisor import Hypervisor
from domains.images import GuestImage
from domains.lifecycle import Domain, Network
from domains.render import Owner, Placement
from domains.spec import DomainSpec

Start = Callable[[DomainSpec, Placement, Network, int], AbstractContextManager[Domain]]


@dataclass(frozen=True)
class Booting:
    """What all guests of a run have in common, and what owns one of them from start to end."""

    place: Placement
    start: Start


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
