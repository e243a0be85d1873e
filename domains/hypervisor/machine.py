"""A running domain, as libvirt holds it."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import libvirt
import libvirt_qemu

from domains.errors import DeadlineExceeded, GuestError, HypervisorError
from domains.hypervisor.events import Events
from domains.hypervisor.translation import translated


class Machine:
    """A running domain: its life, its agent's channel and its statistics."""

    def __init__(self, domain: libvirt.virDomain, events: Events) -> None:
        self._domain = domain
        self._events = events
        self.name: str = domain.name()
        self.uuid: str = domain.UUIDString()

    def wait_for_agent(self, deadline: float) -> None:
        """Return when the guest's agent has opened its channel; raise when the guest ends before.

        Raises :class:`DeadlineExceeded` after ``deadline`` seconds, :class:`GuestError` when it stopped, and
        :class:`HypervisorError` when libvirt itself went away.
        """
        end = time.monotonic() + deadline
        state = self._events.wait(self.uuid, deadline, self._agent_is_connected)
        while state == "stopped" and self.is_active():
            # The end of an earlier machine of the same UUID: a lab host is reset under its own.
            self._events.forget(self.uuid)
            state = self._events.wait(self.uuid, end - time.monotonic(), self._agent_is_connected)
        if state == "stopped":
            raise GuestError(
                f"{self.name} stopped before it was ready",
                remedy=f"/var/log/libvirt/qemu/{self.name}.log on the host says more",
            )
        if state == "lost":
            raise HypervisorError(
                f"the connection to libvirt was lost before {self.name} was ready",
                remedy="start libvirtd again, then use --resume",
            )
        if state != "ready":
            raise DeadlineExceeded(f"the agent of {self.name}", deadline)

    def _agent_is_connected(self) -> bool:
        """Whether libvirt's own view already says "connected": the event may have come before we listened."""
        with contextlib.suppress(libvirt.libvirtError):
            return "state='connected'" in self._domain.XMLDesc()
        return False

    def is_active(self) -> bool:
        """Whether it runs or stands still; False once it has ended."""
        with contextlib.suppress(libvirt.libvirtError):
            return bool(self._domain.isActive())
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

    @translated("read the domain's XML")
    def xml(self) -> str:
        """Return the XML of the domain as it runs, with everything libvirt filled in."""
        return str(self._domain.XMLDesc())

    @translated("pause the guest")
    def pause(self) -> None:
        """Stop the vCPUs; an idle guest then costs nothing to the one that is measured."""
        self._domain.suspend()

    @translated("resume the guest")
    def resume(self) -> None:
        """Let the vCPUs run on; a guest that runs already is no error."""
        if self._domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
            self._domain.resume()

    @translated("plug a device in")
    def attach(self, xml: str) -> None:
        """Plug a device into the running machine."""
        self._domain.attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    @translated("unplug a device")
    def detach(self, xml: str) -> None:
        """Ask the guest to give a device back; it is gone once :meth:`xml` no longer shows it."""
        self._domain.detachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    @translated("save the machine's state")
    def snapshot(self, xml: str) -> None:
        """Write memory and devices to a file while the machine goes on; ``xml`` is a libvirt snapshot.

        The files that it names are there already, and empty.
        """
        flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT
        self._domain.snapshotCreateXML(xml, flags)

    @translated("set the machine's owner")
    def set_owner(self, element: str, namespace: str) -> None:
        """Put another owner into the metadata of a running machine."""
        kind, live = libvirt.VIR_DOMAIN_METADATA_ELEMENT, libvirt.VIR_DOMAIN_AFFECT_LIVE
        self._domain.setMetadata(kind, element, "tdlab", namespace, live)

    @translated("read statistics")
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
