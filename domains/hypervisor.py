"""The only module that talks to libvirt: connections, domains, networks, volumes and their events.

Everything libvirt raises becomes a :class:`domains.errors.HypervisorError` or :class:`GuestError` that says what
was being done; nothing of libvirt's own types leaves this module.
"""

from __future__ import annotations

import contextlib
import functools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import libvirt
import libvirt_qemu

from domains.errors import DeadlineExceeded, GuestError, HypervisorError, InfrastructureError

P = ParamSpec("P")
T = TypeVar("T")

LOCAL_URI = "qemu:///system"
_UPLOAD_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Versions:
    """Versions of libvirt and of the emulator it uses, as ``major.minor.micro``."""

    libvirt: str
    qemu: str


def _translated(doing: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return method(*args, **kwargs)
            except libvirt.libvirtError as why:
                raise HypervisorError(f"libvirt could not {doing}: {why.get_error_message()}") from why

        return call

    return decorate


class Machine:
    """A running domain: its life, its agent's channel and its statistics."""

    def __init__(self, domain: libvirt.virDomain, events: _Events) -> None:
        self._domain = domain
        self._events = events
        self.name: str = domain.name()
        self.uuid: str = domain.UUIDString()

    def wait_for_agent(self, deadline: float) -> None:
        """Return when the guest's agent has opened its channel; raise when the guest ends before.

        Raises :class:`DeadlineExceeded` after ``deadline`` seconds, :class:`GuestError` when the guest stopped.
        """
        state = self._events.wait(self.uuid, deadline, self._agent_is_connected)
        if state == "stopped":
            raise GuestError(
                f"{self.name} stopped before it was ready",
                remedy="its console shows why: tdlab bench --keep-console",
            )
        if state != "ready":
            raise DeadlineExceeded(f"the agent of {self.name}", deadline)

    def _agent_is_connected(self) -> bool:
        """Whether libvirt's own view already says "connected": the event may have come before we listened."""
        with contextlib.suppress(libvirt.libvirtError):
            return "state='connected'" in self._domain.XMLDesc()
        return False

    def agent(self, command: str, arguments: dict[str, Any] | None = None, *, timeout: float = 10) -> Any:
        """Send one command to the guest agent and return what it answers; ``timeout`` in whole seconds."""
        message = {"execute": command, **({"arguments": arguments} if arguments else {})}
        try:
            text = libvirt_qemu.qemuAgentCommand(self._domain, json.dumps(message), max(1, int(timeout)), 0)
        except libvirt.libvirtError as why:
            raise GuestError(
                f"the agent of {self.name} failed at {command}: {why.get_error_message()}"
            ) from why
        return json.loads(text)["return"]

    @_translated("read the domain's XML")
    def xml(self) -> str:
        """Return the XML of the domain as it runs, with everything libvirt filled in."""
        return str(self._domain.XMLDesc())

    @_translated("pause the guest")
    def pause(self) -> None:
        """Stop the vCPUs; an idle guest then costs nothing to the one that is measured."""
        self._domain.suspend()

    @_translated("resume the guest")
    def resume(self) -> None:
        """Let the vCPUs run on."""
        self._domain.resume()

    @_translated("read statistics")
    def statistics(self) -> dict[str, Any]:
        """Return libvirt's bulk statistics of this domain, keys as libvirt names them."""
        groups = libvirt.VIR_DOMAIN_STATS_VCPU | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
        groups |= libvirt.VIR_DOMAIN_STATS_INTERFACE
        groups |= getattr(libvirt, "VIR_DOMAIN_STATS_VM", 0)
        rows = self._domain.connect().domainListGetStats([self._domain], groups)
        return dict(rows[0][1])

    def destroy(self) -> None:
        """End the guest at once; a guest that is gone already is no error."""
        try:
            self._domain.destroyFlags(0)
        except libvirt.libvirtError as why:
            if why.get_error_code() not in {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID}:
                raise HypervisorError(
                    f"libvirt could not end {self.name}: {why.get_error_message()}"
                ) from why


class Hypervisor:
    """One connection to one libvirt."""

    def __init__(self, connection: libvirt.virConnect, uri: str) -> None:
        self._connection = connection
        self.uri = uri
        self._events = _Events(connection)

    @_translated("tell its versions")
    def versions(self) -> Versions:
        """Return the versions of libvirt and QEMU on the host."""
        return Versions(_dotted(self._connection.getLibVersion()), _dotted(self._connection.getVersion()))

    @_translated("tell the domain's capabilities")
    def domain_capabilities(self, domain_type: str, machine: str = "q35") -> str:
        """Return the ``<domainCapabilities>`` XML for "kvm" or "qemu"."""
        return str(self._connection.getDomainCapabilities(None, "x86_64", machine, domain_type))

    @_translated("turn the XML into a command line")
    def to_native(self, xml: str) -> str:
        """Return the QEMU command line that libvirt would run for a domain XML."""
        return str(self._connection.domainXMLToNative("qemu-argv", xml))

    @_translated("start the guest")
    def create(self, xml: str, *, paused: bool = False) -> Machine:
        """Start a transient guest that libvirt ends by itself when this connection closes or we are killed."""
        flags = libvirt.VIR_DOMAIN_START_AUTODESTROY
        if paused:
            flags |= libvirt.VIR_DOMAIN_START_PAUSED
        return Machine(self._connection.createXML(xml, flags), self._events)

    @_translated("list the guests")
    def machines(self) -> list[tuple[Machine, str]]:
        """Return the guests that run now, ours and others', each with its XML."""
        found = []
        for domain in self._connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            # Others' guests and networks come and go while we look: one that is gone is not in the list.
            with contextlib.suppress(libvirt.libvirtError):
                found.append((Machine(domain, self._events), domain.XMLDesc()))
        return found

    @_translated("create the network")
    def create_network(self, xml: str) -> None:
        """Start a transient network; raises :class:`HypervisorError` also when its subnet is in use."""
        self._connection.networkCreateXML(xml)

    def network_exists(self, name: str) -> bool:
        """Return whether a network of this name is there."""
        try:
            self._connection.networkLookupByName(name)
        except libvirt.libvirtError:
            return False
        return True

    @_translated("list the networks")
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

    @_translated("open the storage pool")
    def pool(self, name: str, folder: str) -> Pool:
        """Return the storage pool of this name, made in ``folder`` on the host if it is not there."""
        try:
            return Pool(self._connection.storagePoolLookupByName(name), self._connection)
        except libvirt.libvirtError as why:
            if why.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_POOL:
                raise
        xml = (
            f"<pool type='dir'><name>{name}</name><target><path>{folder}</path>"
            "<permissions><mode>0755</mode></permissions></target></pool>"
        )
        create = libvirt.VIR_STORAGE_POOL_CREATE_WITH_BUILD
        return Pool(self._connection.storagePoolCreateXML(xml, create), self._connection)

    def close(self) -> None:
        """Close the connection; libvirt then ends the guests that were started on it."""
        self._events.close()
        with contextlib.suppress(libvirt.libvirtError):
            self._connection.close()


class Pool:
    """A folder on the host that libvirt fills for us, so that images reach remote hosts and other users too."""

    def __init__(self, pool: libvirt.virStoragePool, connection: libvirt.virConnect) -> None:
        self._pool = pool
        self._connection = connection

    @_translated("list the volumes")
    def volumes(self) -> dict[str, str]:
        """Return name and path of every volume."""
        # No refresh: only libvirt writes here, and a refresh is refused while anybody uploads.
        return {volume.name(): volume.path() for volume in self._pool.listAllVolumes()}

    @_translated("create a volume")
    def create(self, name: str, capacity: int, *, format_: str = "raw", backing: str | None = None) -> str:
        """Make an empty volume of ``capacity`` bytes and return its path on the host."""
        store = (
            f"<backingStore><path>{backing}</path><format type='qcow2'/></backingStore>" if backing else ""
        )
        xml = (
            f"<volume><name>{name}</name><capacity unit='bytes'>{capacity}</capacity>{store}"
            f"<target><format type='{format_}'/><permissions><mode>0644</mode></permissions></target></volume>"
        )
        return str(self._pool.createXML(xml, 0).path())

    @_translated("upload an image")
    def upload(self, name: str, file: Path) -> str:
        """Copy a local file into a new volume and return its path on the host."""
        size = file.stat().st_size
        path = self.create(name, size)
        stream = self._connection.newStream(0)
        self._pool.storageVolLookupByName(name).upload(stream, 0, size, 0)
        with file.open("rb") as source:
            stream.sendAll(lambda _stream, wanted, _opaque: source.read(min(wanted, _UPLOAD_CHUNK)), None)
        stream.finish()
        return path

    def delete(self, name: str) -> None:
        """Delete a volume; one that is gone already is no error."""
        with contextlib.suppress(libvirt.libvirtError):
            self._pool.storageVolLookupByName(name).delete(0)


class _Events:
    """Turns libvirt's events into waits, so that readiness is told to us rather than asked for."""

    def __init__(self, connection: libvirt.virConnect) -> None:
        self._changed = threading.Condition()
        self._states: dict[str, str] = {}
        self._connection = connection
        agent, life = libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
        self._registered = [
            connection.domainEventRegisterAny(None, agent, self._on_agent, None),
            connection.domainEventRegisterAny(None, life, self._on_life, None),
        ]

    def wait(self, uuid: str, deadline: float, already: Callable[[], bool]) -> str | None:
        """Return "ready" or "stopped", or None after ``deadline`` seconds."""
        if already():
            return "ready"
        end = time.monotonic() + deadline
        with self._changed:
            while (left := end - time.monotonic()) > 0:
                if state := self._states.get(uuid):
                    return state
                self._changed.wait(left)
        return None

    def close(self) -> None:
        for number in self._registered:
            with contextlib.suppress(libvirt.libvirtError):
                self._connection.domainEventDeregisterAny(number)

    def _on_agent(
        self, _connection: Any, domain: libvirt.virDomain, state: int, _reason: int, _opaque: Any
    ) -> None:
        if state == libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED:
            self._set(domain.UUIDString(), "ready")

    def _on_life(
        self, _connection: Any, domain: libvirt.virDomain, event: int, _detail: int, _opaque: Any
    ) -> None:
        if event in {libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_CRASHED}:
            self._set(domain.UUIDString(), "stopped")

    def _set(self, uuid: str, state: str) -> None:
        with self._changed:
            self._states[uuid] = state
            self._changed.notify_all()


@contextlib.contextmanager
def connected(uri: str = LOCAL_URI) -> Iterator[Hypervisor]:
    """Own a connection for the length of a ``with`` block; guests started on it do not outlive it."""
    _start_event_loop()
    try:
        connection = libvirt.open(uri)
    except libvirt.libvirtError as why:
        raise InfrastructureError(
            f"no connection to libvirt at {uri}: {why.get_error_message()}",
            remedy="start libvirtd, or be in group libvirt; `tdlab doctor` says more",
        ) from why
    hypervisor = Hypervisor(connection, uri)
    try:
        yield hypervisor
    finally:
        hypervisor.close()


@functools.lru_cache(maxsize=1)
def _start_event_loop() -> None:
    """Run libvirt's event loop in a thread of its own, once a process, before the first connection."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()

    def loop() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=loop, name="libvirt-events", daemon=True).start()


def _dotted(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
