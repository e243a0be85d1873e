"""A guest's VM exits counted by hardware reason, in the host's kernel, by the tracepoint ``kvm:kvm_exit``.

Nothing is recorded but a count for each reason (a histogram trigger), for the vCPU threads of one guest, in
an instance of tracefs of its own: what others trace on the host is not touched. A record on the host, as for
changed devices, has the instance removed after a process that was killed.
Source: the Linux kernel's documentation, trace/ftrace.rst ("Instances") and trace/histogram.rst.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from domains import ownership
from domains.devices import changes
from domains.devices.records import Record
from domains.devices.steps import AS_ROOT
from domains.errors import InfrastructureError
from domains.host import Host
from domains.render import Owner

INSTANCES = "/sys/kernel/tracing/instances"
EVENT = "events/kvm/kvm_exit"
_SECONDS = 30.0


@contextlib.contextmanager
def exits(host: Host, guest: str, *, owner: Owner | None = None) -> Iterator[Callable[[], str]]:
    """Own the counting of a running guest's exits, and yield what reads the histogram's text at any moment.

    ``guest`` is the domain's name. Needs root on the host (through sudo, if it asks for nothing) and a guest
    of the system's libvirt under KVM. Raises :class:`UsageError` when the guest is traced already, and
    :class:`InfrastructureError` with the kernel's words when it refuses.
    """
    record = Record("tracing", guest, owner or ownership.this_process(ownership.new_run_id()))
    with changes.changed(host, record, (("trace", guest),), what=f"count the exits of {guest} by reason"):
        yield lambda: _read(host, guest)


def _read(host: Host, guest: str) -> str:
    words = ["cat", f"{INSTANCES}/{guest}/{EVENT}/hist"]
    done = host.run(["sh", "-c", AS_ROOT, "tdlab-tracing", *words], timeout=_SECONDS, check=False)
    if done.status != 0:
        raise InfrastructureError(
            f"the exits of {guest} by reason could not be read: {done.stderr.strip() or done.status}",
            remedy="see the row tracepoints of `tdlab doctor`",
        )
    return done.stdout
