"""Volumes in a folder on the host."""

from __future__ import annotations

from pathlib import Path

import libvirt

from domains.errors import HypervisorError
from domains.hypervisor.translation import translated

_UPLOAD_CHUNK = 256 * 1024


class Pool:
    """A folder on the host that libvirt fills for us: images reach remote hosts and other users too."""

    def __init__(self, pool: libvirt.virStoragePool, connection: libvirt.virConnect) -> None:
        self._pool = pool
        self._connection = connection

    @translated("list the volumes")
    def volumes(self) -> dict[str, str]:
        """Return name and path of every volume."""
        # No refresh: only libvirt writes here, and a refresh is refused while anybody uploads.
        return {volume.name(): volume.path() for volume in self._pool.listAllVolumes()}

    @translated("look at the pool again")
    def refresh(self) -> None:
        """See what was written into the folder by others than this class: saved states of machines."""
        self._pool.refresh(0)

    @translated("create a volume")
    def create(self, xml: str) -> str:
        """Make a volume from its XML and return its path on the host."""
        return str(self._pool.createXML(xml, 0).path())

    @translated("upload an image")
    def upload(self, xml: str, file: Path) -> str:
        """Copy a local file into a new volume of the same size; return its path on the host."""
        volume = self._pool.createXML(xml, 0)
        stream = self._connection.newStream(0)
        volume.upload(stream, 0, file.stat().st_size, 0)
        with file.open("rb") as source:
            stream.sendAll(lambda _stream, wanted, _opaque: source.read(min(wanted, _UPLOAD_CHUNK)), None)
        stream.finish()
        return str(volume.path())

    def delete(self, name: str) -> bool:
        """Delete a volume; one that is gone already is no error.

        Returns whether it is gone: one that somebody is just filling stays. Raises :class:`HypervisorError`.
        """
        try:
            self._pool.storageVolLookupByName(name).delete(0)
        except libvirt.libvirtError as why:
            if why.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
                return False
            if why.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
                raise HypervisorError(
                    f"libvirt could not delete volume {name}: {why.get_error_message()}"
                ) from why
        return True
