"""One connection to one libvirt."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import libvirt

from domains.errors import HypervisorError, InfrastructureError
from domains.hypervisor import events
from domains.hypervisor.machine import Machine
from domains.hypervisor.storage import Pool
from domains.hypervisor.translation import translated

LOCAL_URI = "qemu:///system"


@dataclass(frozen=True)
class Versions:
    """Versions of libvirt and of the emulator it uses, as ``major.minor.micro``."""

    libvirt: str
    qemu: str


class Hypervisor:
    """One connection to one libvirt."""

    def __init__(self, connection: libvirt.virConnect, uri: str) -> None:
        self._connection = connection
        self.uri = uri
        self._events = events.Events(connection)

    @translated("tell its versions")
    def versions(self) -> Versions:
        """Return the versions of libvirt and QEMU on the host."""
        return Versions(_dotted(self._connection.getLibVersion()), _dotted(self._connection.getVersion()))

    @translated("turn the XML into a command line")
    def to_native(self, xml: str) -> str:
        """Return the QEMU command line that libvirt would run for a domain XML."""
        return str(self._connection.domainXMLToNative("qemu-argv", xml))

    @translated("start the guest")
    def create(self, xml: str, *, paused: bool = False) -> Machine:
        """Start a transient guest, which libvirt ends when this connection closes or we are killed."""
        flags = libvirt.VIR_DOMAIN_START_AUTODESTROY
        if paused:
            flags |= libvirt.VIR_DOMAIN_START_PAUSED
        return Machine(self._connection.createXML(xml, flags), self._events)

    @translated("start the machine")
    def create_lasting(self, xml: str) -> Machine:
        """Start a transient machine that outlives this process: a lab host."""
        return Machine(self._connection.createXML(xml, 0), self._events)

    @translated("restore the saved machine")
    def restore(self, file: str, change: Callable[[str], str]) -> None:
        """Start a machine from a saved state; ``change`` is given its XML and returns what it is to be now.

        Names of files and metadata may change; what the machine itself sees may not.
        """
        secure = libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE
        saved = self._connection.saveImageGetXMLDesc(file, secure)
        self._connection.restoreFlags(file, change(saved), libvirt.VIR_DOMAIN_SAVE_RUNNING)

    @translated("find the machine")
    def machine(self, name: str) -> Machine | None:
        """Return the machine of this name that runs, or None."""
        try:
            return Machine(self._connection.lookupByName(name), self._events)
        except libvirt.libvirtError as why:
            if why.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise

    @translated("list the guests")
    def machines(self) -> list[tuple[Machine, str]]:
        """Return the guests that run now, ours and others', each with its XML."""
        found = []
        for domain in self._connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            # Others' guests and networks come and go while we look: one that is gone is not in the list.
            with contextlib.suppress(libvirt.libvirtError):
                found.append((Machine(domain, self._events), domain.XMLDesc()))
        return found

    @translated("create the network")
    def create_network(self, xml: str) -> None:
        """Start a transient network; raises :class:`HypervisorError` also when its subnet is in use."""
        self._connection.networkCreateXML(xml)

    @translated("list the networks")
    def networks(self) -> dict[str, str]:
        """Return name and XML of every network."""
        found = {}
        for net in self._connection.listAllNetworks():
            with contextlib.suppress(libvirt.libvirtError):
                found[net.name()] = net.XMLDesc()
        return found

    def destroy_network(self, name: str) -> None:
        """End a network and its bridge; one that is gone already is no error."""
        try:
            self._connection.networkLookupByName(name).destroy()
        except libvirt.libvirtError as why:
            if why.get_error_code() not in {libvirt.VIR_ERR_NO_NETWORK, libvirt.VIR_ERR_OPERATION_INVALID}:
                raise HypervisorError(
                    f"libvirt could not end network {name}: {why.get_error_message()}"
                ) from why

    @translated("open the storage pool")
    def pool(self, name: str, xml: str) -> Pool:
        """Return the storage pool of this name, made from ``xml``, folder and all, if it is not there."""
        try:
            return Pool(self._connection.storagePoolLookupByName(name), self._connection)
        except libvirt.libvirtError as why:
            if why.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_POOL:
                raise
        create = libvirt.VIR_STORAGE_POOL_CREATE_WITH_BUILD
        return Pool(self._connection.storagePoolCreateXML(xml, create), self._connection)

    def close(self) -> None:
        """Close the connection; libvirt then ends the guests that were started on it."""
        self._events.close()
        with contextlib.suppress(libvirt.libvirtError):
            self._connection.close()


class ConnectError(InfrastructureError):
    """No libvirt answers there, or it lets this user not in."""


@contextlib.contextmanager
def connected(uri: str = LOCAL_URI) -> Iterator[Hypervisor]:
    """Own a connection for the length of a ``with`` block; guests started on it do not outlive it."""
    events.start_loop()
    try:
        connection = libvirt.open(uri)
    except libvirt.libvirtError as why:
        raise ConnectError(
            f"no connection to libvirt at {uri.partition('?')[0]}: {why.get_error_message()}",
            remedy="start libvirtd, or be in group libvirt; `tdlab doctor` says more",
        ) from why
    hypervisor = Hypervisor(connection, uri)
    try:
        yield hypervisor
    finally:
        hypervisor.close()


def _dotted(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
