"""libvirt's events as waits."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable
from typing import Any

import libvirt


class Events:
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


@functools.lru_cache(maxsize=1)
def start_loop() -> None:
    """Run libvirt's event loop in a thread of its own, once a process, before the first connection."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()

    def loop() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=loop, name="libvirt-events", daemon=True).start()
