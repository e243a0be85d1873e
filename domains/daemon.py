"""The libvirt daemon of this host: running when it is needed, whether the host has systemd or not."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from domains import privilege, process, wait
from domains.errors import CapabilityMissing, DeadlineExceeded, InfrastructureError, TdlabError

# The monolithic daemon of Debian and Ubuntu, then the modular one that other distributions run.
SOCKETS = (Path("/run/libvirt/libvirt-sock"), Path("/run/libvirt/virtqemud-sock"))
STOCK_CONFIGURATION = Path("/etc/libvirt/libvirtd.conf")
# The role starts libvirtd on remote hosts in the same way, so the file is the role's.
OUR_CONFIGURATION = (
    Path(__file__).resolve().parent.parent / "playbooks" / "roles" / "lab_host" / "files" / "libvirtd.conf"
)
SYSTEMD = Path("/run/systemd/system")

# Put into the environment of a daemon that tdlab starts: it cannot outlive the daemon, as a file would.
MARK = "TDLAB_STARTED=1"
# A daemon must not inherit a virtual environment's PATH, nor the proxies and locale of one user.
CLEAN_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Seconds: on SIGTERM libvirtd itself gives its workers 30 to come to an end.
_PATIENCE = 45


@dataclass(frozen=True)
class Daemon:
    """A daemon of libvirt: where it listens and where it keeps its process number."""

    name: str
    socket: Path
    pid_file: Path

    def pid(self) -> int | None:
        """Return the daemon's process number, or None when it does not run."""
        try:
            pid = int(self.pid_file.read_text())
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if name == self.name else None


VIRTLOGD = Daemon("virtlogd", Path("/run/libvirt/virtlogd-sock"), Path("/run/virtlogd.pid"))
LIBVIRTD = Daemon("libvirtd", SOCKETS[0], Path("/run/libvirtd.pid"))


def ensure_running() -> str | None:
    """Have a libvirt daemon that answers on this host; return a sentence that says what was started, if any.

    Raises :class:`InfrastructureError` with a remedy when this user may not use or not start it,
    :class:`CapabilityMissing` when libvirt is not installed.
    """
    if is_running():
        return None
    if SYSTEMD.is_dir():
        _as_root(["systemctl", "--no-ask-password", "start", "libvirtd.service"], "start libvirtd")
        said: str | None = "libvirtd was not running: started it through systemd"
    else:
        started = [daemon.name for daemon in (VIRTLOGD, LIBVIRTD) if _start(daemon)]
        said = f"this host has no systemd: started {' and '.join(started)}" if started else None
    wait.until(is_running, waiting_for="libvirtd to answer on its socket", deadline=30)
    return said


def is_running() -> bool:
    """Return whether a libvirt daemon answers on this host.

    Raises :class:`InfrastructureError` when it is there but lets this user not in, or hangs.
    """
    return any(_answers(path) for path in SOCKETS)


def stop_started() -> list[str]:
    """Stop the daemons that tdlab itself started on a host without systemd; return their names.

    Daemons that somebody else started go on, and so do guests: libvirt finds them again.
    """
    return [daemon.name for daemon in (LIBVIRTD, VIRTLOGD) if _stop_if_ours(daemon)]


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        try:
            client.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except PermissionError as refused:
            user = privilege.user_name() or "USER"
            raise InfrastructureError(
                f"libvirtd runs, but this user may not use {path}",
                remedy=f"run: sudo usermod -aG libvirt,kvm {user}   and log in again",
            ) from refused
        except TimeoutError as hung:
            raise InfrastructureError(
                f"libvirtd does not accept connections on {path}", remedy="restart libvirtd, then try again"
            ) from hung
    return True


def _start(daemon: Daemon) -> bool:
    if daemon.pid() is not None:
        return False
    program = process.found(daemon.name)
    if program is None:
        raise CapabilityMissing(
            f"{daemon.name} is not installed on this host",
            remedy="run ./tdlab once as root to set this host up",
        )
    own = ["--config", str(OUR_CONFIGURATION)] if daemon is LIBVIRTD and _configuration_is_stock() else []
    words = [str(program), "--daemon"] if daemon is VIRTLOGD else [*_reaped(), str(program), *own]
    with tempfile.TemporaryFile() as log:
        done = _as_root(
            ["env", "-i", CLEAN_PATH, "LANG=C", MARK, *words], f"start {daemon.name}", check=False, log=log
        )
        log.seek(0)
        said = log.read().decode(errors="replace").strip()
    if done.status != 0:
        # Somebody else may have started it in the same moment: then its process number is already there.
        wait.until(
            lambda: daemon.pid() is not None, waiting_for=f"{daemon.name}, which said: {said}", deadline=3
        )
    return done.status == 0


def _reaped() -> list[str]:
    """Return the words that run libvirtd in the background under a process that buries its dead.

    QEMU's processes are libvirtd's orphans. Where process 1 is no real init it buries them late or never, and
    libvirt waits for that before it calls a guest ended.
    """
    return ["setsid", "--fork", "tini", "-s", "--"]


def _configuration_is_stock() -> bool:
    """Return whether nobody has set anything in this host's own configuration of libvirtd."""
    if not os.access(STOCK_CONFIGURATION, os.R_OK):
        return not STOCK_CONFIGURATION.exists()
    lines = (line.strip() for line in STOCK_CONFIGURATION.read_text(errors="replace").splitlines())
    return not any(line and not line.startswith("#") for line in lines)


def _stop_if_ours(daemon: Daemon) -> bool:
    pid = daemon.pid()
    if pid is None:
        return False
    seen = _as_root(["cat", f"/proc/{pid}/environ"], f"see who started {daemon.name}", check=False)
    if seen.status != 0 or MARK not in seen.stdout.split("\0"):
        return False
    try:
        _signal(daemon, pid, signal.SIGTERM, deadline=_PATIENCE)
    except DeadlineExceeded:
        # A worker of it hangs, on a guest or a host that no longer answers. Its state is always on disk.
        _signal(daemon, pid, signal.SIGKILL, deadline=10)
    return True


def _signal(daemon: Daemon, pid: int, number: signal.Signals, *, deadline: float) -> None:
    """Send a signal to a daemon and wait for its end; raises :class:`DeadlineExceeded`."""
    if os.geteuid() == 0:
        # It may just have ended by itself.
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    else:
        _as_root(["kill", f"-{number.value}", str(pid)], f"stop {daemon.name}", check=False)
    ended = Path(f"/proc/{pid}")
    wait.until(lambda: not ended.exists(), waiting_for=f"the end of {daemon.name}", deadline=deadline)


def _as_root(
    argv: list[str], purpose: str, *, check: bool = True, log: IO[bytes] | None = None
) -> process.Completed:
    words = privilege.as_root()
    if words is None:
        raise InfrastructureError(
            f"root is needed to {purpose}, and this user has no sudo without a password",
            remedy=f"ask an administrator to {purpose} on this host, then try again",
        )
    return process.run([*words, *argv], timeout=60, check=check, cwd=Path("/"), log=log)


def main(arguments: list[str] | None = None) -> int:
    """``python -m domains.daemon start|running|stop``: for scripts; ``running`` ends 1 when it is not."""
    parser = argparse.ArgumentParser(prog="domains.daemon", description="The libvirt daemon of this host.")
    parser.add_argument("action", choices=["start", "running", "stop"])
    action = parser.parse_args(arguments).action
    try:
        if action == "running":
            return 0 if is_running() else 1
        if action == "start":
            said = ensure_running()
        else:
            stopped = stop_started()
            said = f"stopped {' and '.join(stopped)}" if stopped else None
    except TdlabError as error:
        print(f"tdlab: {error}", file=sys.stderr)
        return error.exit_code
    if said:
        print(said, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
