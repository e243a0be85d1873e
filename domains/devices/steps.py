"""Steps that change a host's devices: planned as data by pure functions, carried out in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from domains import wait
from domains.errors import DeadlineExceeded, InfrastructureError, UsageError
from domains.host import Host

SCRIPT = Path(__file__).with_name("steps.sh")
# One step as the script reads it: a word, and operands as many as the word takes.
Step = tuple[str, ...]
NOTHING = "-"
# A driver that takes a device over resets it, and creating VFs resets the NIC: seconds under emulation.
_SECONDS = 60.0
_RELEASED_SECONDS = 20.0
_NOT_YET, _TAKEN = 75, 76
# Root over SSH as a rule; else sudo, which never asks here.
AS_ROOT = 'if [ "$(id -u)" -eq 0 ]; then exec "$@"; fi; exec sudo -n "$@"'


def carry_out(host: Host, steps: Sequence[Step], *, what: str, root: str = "") -> None:
    """Carry out steps on a host, as root; ``what`` names them in messages, as in "create VFs of …".

    Steps that must wait for a guest or for udev are begun again from the first: each may be done twice.
    Raises :class:`UsageError` when another change of the same thing is under way, :class:`DeadlineExceeded`
    when a guest does not let go, and else :class:`InfrastructureError` with the kernel's words.
    """
    words = [
        "sh",
        "-c",
        SCRIPT.read_text(),
        "tdlab-devices",
        root,
        *(word for step in steps for word in step),
    ]
    last = ""

    def done() -> bool:
        nonlocal last
        ended = host.run(["sh", "-c", AS_ROOT, "tdlab-devices", *words], timeout=_SECONDS, check=False)
        last = (ended.stderr.strip().splitlines() or [f"status {ended.status}"])[-1]
        if ended.status == _NOT_YET:
            return False
        if ended.status == _TAKEN:
            raise UsageError(
                f"cannot {what} on {host.name}: another change of it is under way: {ended.stdout.strip()}",
                remedy="wait until that tdlab has ended; what a killed one left, `tdlab clean` puts back",
            )
        if ended.status != 0:
            raise InfrastructureError(
                f"cannot {what} on {host.name}: {last}", remedy="the end of `dmesg` on that host may say more"
            )
        return True

    try:
        wait.until(done, waiting_for=what, deadline=_RELEASED_SECONDS, interval=0.1, longest_interval=1.0)
    except DeadlineExceeded as late:
        raise DeadlineExceeded(
            f"{what} on {host.name} ({last})", late.seconds, remedy="end the guest that holds the device"
        ) from late
