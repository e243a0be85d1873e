"""The only package that talks to libvirt: connections, domains, networks, volumes and their events.

Everything libvirt raises becomes a ``HypervisorError`` or ``GuestError`` of :mod:`domains.errors` that says
what was being done; nothing of libvirt's own types leaves this package.
"""

from domains.hypervisor.connection import LOCAL_URI, ConnectError, Hypervisor, Versions, connected
from domains.hypervisor.machine import Machine
from domains.hypervisor.storage import Pool

__all__ = ["LOCAL_URI", "ConnectError", "Hypervisor", "Machine", "Pool", "Versions", "connected"]
