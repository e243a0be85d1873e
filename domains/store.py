"""The guest image where the host's QEMU can read it: in a storage pool that libvirt fills for us.

The guests of qemu:///system run as a user of their own who cannot look into our home; the pool is where both
can be, and libvirt fills it on remote hosts just as well. An image is uploaded once, and found by its digest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domains import ownership, render
from domains.hypervisor import Hypervisor, Pool
from domains.images import GuestImage
from domains.ownership import WHOLE

POOL = "tdlab"
_IMAGE = re.compile(rf"-guest-(?P<digest>[0-9a-f]{{16}})-(kernel|initramfs)({re.escape(WHOLE)})?$")
POOL_FOLDER = "/var/lib/libvirt/images/tdlab"


@dataclass(frozen=True)
class StoredImage:
    """The guest image as the host sees it: paths on that host."""

    kernel: str
    initramfs: str


def pool(hypervisor: Hypervisor) -> Pool:
    """Return tdlab's storage pool on a host, made if it is not there."""
    return hypervisor.pool(POOL, render.render_pool(POOL, POOL_FOLDER))


def keep(hypervisor: Hypervisor, image: GuestImage) -> StoredImage:
    """Have the guest image in the host's storage pool, uploading it only if it is not there."""
    place = pool(hypervisor)
    there = place.volumes()
    _drop_old(place, there, image.digest[:16])
    return StoredImage(
        _stored(place, there, f"guest-{image.digest[:16]}-kernel", image.kernel),
        _stored(place, there, f"guest-{image.digest[:16]}-initramfs", image.initramfs),
    )


def keep_files(hypervisor: Hypervisor, prefix: str, files: Mapping[str, Path]) -> dict[str, str]:
    """Have files in the host's storage pool, uploading only what is not there; return their paths there.

    ``prefix`` names their content: the same prefix and name are taken for the same file.
    """
    place = pool(hypervisor)
    there = place.volumes()
    return {name: _stored(place, there, f"{prefix}-{name}", file) for name, file in files.items()}


def _drop_old(place: Pool, there: dict[str, str], digest: str) -> None:
    """Delete the uploads of other guest images by processes that are gone; running guests need no file."""
    for volume in there:
        image, owner = _IMAGE.search(volume), ownership.volume_owner(volume)
        if image and owner and image["digest"] != digest and not ownership.is_alive(owner):
            place.delete(volume)


def _stored(place: Pool, there: dict[str, str], name: str, file: Path) -> str:
    """Return the path of a whole upload of this name, anybody's, or upload the file as ours.

    Uploads carry their owner's name, so that two processes never write to one volume, and a second volume
    marks what is whole: an interrupted upload has the right size all the same.
    """
    for volume, path in there.items():
        if volume.endswith(f"-{name}") and volume + WHOLE in there:
            return path
    volume = ownership.volume_name(ownership.this_process(ownership.new_run_id()), name)
    path = place.upload(render.render_volume(volume, file.stat().st_size), file)
    place.create(render.render_volume(volume + WHOLE, 0))
    return path
