"""libvirt's events as waits."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable
from typing import Any

import libvirt

# A daemon that does not answer for a minute hangs; on a host full of emulated guests it may be slow.
_ASK_EVERY_SECONDS = 10
_ASK_TIMES = 6


class Events:
    """Turns libvirt's events into waits, so that readiness is told to us rather than asked for."""

    def __init__(self, connection: libvirt.virConnect) -> None:
        self._changed = threading.Condition()
        self._states: dict[str, str] = {}
        self._is_lost = False
        self._connection = connection
        agent, life = libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
        self._registered = [
            connection.domainEventRegisterAny(None, agent, self._on_agent, None),
            connection.domainEventRegisterAny(None, life, self._on_life, None),
        ]
        self._hears_of_loss = self._watch_connection()

    def wait(self, uuid: str, deadline: float, already: Callable[[], bool]) -> str | None:
        """Return "ready", "stopped" or "lost" (libvirt itself), or None after ``deadline`` seconds."""
        if already():
            return "ready"
        end = time.monotonic() + deadline
        with self._changed:
            while (left := end - time.monotonic()) > 0:
                if state := "lost" if self._is_lost else self._states.get(uuid):
                    return state
                self._changed.wait(left)
        return None

    def forget(self, uuid: str) -> None:
        """Drop what was heard of a machine: there is another of the same UUID now."""
        with self._changed:
            self._states.pop(uuid, None)

    def close(self) -> None:
        """Listen no more; libvirt would keep the connection open for as long as somebody listens."""
        if self._hears_of_loss:
            with contextlib.suppress(libvirt.libvirtError):
                self._connection.unregisterCloseCallback()
        for number in self._registered:
            with contextlib.suppress(libvirt.libvirtError):
                self._connection.domainEventDeregisterAny(number)

    def _watch_connection(self) -> bool:
        """Have it told when libvirt dies or hangs; returns whether this kind of connection can be lost."""
        try:
            self._connection.setKeepAlive(_ASK_EVERY_SECONDS, _ASK_TIMES)
            self._connection.registerCloseCallback(self._on_close, None)
        except libvirt.libvirtError as why:
            if why.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
                raise
            return False
        return True

    def _on_close(self, _connection: Any, _reason: int, _opaque: Any) -> None:
        with self._changed:
            self._is_lost = True
            self._changed.notify_all()

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
