"""From a bare machine to a working ./tdlab. Standard library only: the launcher runs it before all else.

What is made, under the cache folder of this user::

    venv/<lock>-<random>/           a virtual environment, built in place (they cannot be moved)
    venv/<lock>-<random>/complete   written last: without it the folder is rubbish
    setup/<key>                     names the environment to use; written when everything is done

``key`` comes from the launcher and changes with the lock file, the role lab_host and this module.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domains import privilege, process
from domains.errors import EXIT_INTERRUPTED, InfrastructureError, TdlabError
from domains.provision import PLAYBOOKS, STAMP, role_digest
from domains.setup import environments
from domains.setup.phases import Phases, Step, say

CHECKOUT = Path(__file__).resolve().parents[2]
# What the launcher, too, looks for before it believes that set-up has been done.
PROGRAMS = ("libvirtd", "qemu-system-x86_64")


@dataclass(frozen=True)
class Need:
    """What this machine lacks: Debian packages, the role's work, a virtual environment."""

    packages: tuple[str, ...]
    role: bool
    ensurepip: bool
    environment: Path | None

    @property
    def root(self) -> bool:
        """Return whether root is needed for it."""
        return self.role or self.ensurepip


def set_up(cache: Path, key: str, command: list[str]) -> Path:
    """Make this machine ready for tdlab, and return the virtual environment to use.

    Raises :class:`InfrastructureError` with a remedy when something that is needed cannot be had.
    """
    with _alone(cache):
        need = look(cache)
        pointer = cache / "setup" / key
        if need.environment and not need.role and environments.published(pointer) == need.environment:
            return need.environment  # the tdlab that this one has waited for has done it all
        become = _become(need)
        announce(need, cache)
        phases = Phases(cache / "logs")
        if need.ensurepip:
            _install_venv_module(phases, become)
        environment = need.environment or environments.make(cache, phases)
        _install(environment, need, phases, with_dev=command[:1] == ["test"])
        environments.publish(environment, pointer)
        environments.sweep(cache, environment)
    if os.environ.get("TDLAB_TIMINGS"):
        say(f"set-up took, in seconds (what ran side by side overlaps):\n{phases.table()}")
    return environment


def ensure_dev() -> None:
    """Add what ``tdlab test`` needs to the virtual environment that tdlab made and runs in.

    An environment of somebody else's making is left as it is.
    """
    environment = Path(sys.prefix)
    if not environments.is_ours(environment) or environments.dev_marker(environment).exists():
        return
    cache = environment.parent.parent
    with _alone(cache):
        if not environments.dev_marker(environment).exists():
            Phases(cache / "logs").side_by_side(environments.dev(environment))
            environments.dev_marker(environment).touch()


def look(cache: Path) -> Need:
    """Return what this machine lacks; changes nothing."""
    # A stamp says what was done once; an administrator may have removed the packages since.
    role = not (_stamp_is_current() and all(process.found(program) for program in PROGRAMS))
    environment = environments.find_complete(cache)
    return Need(
        packages=tuple(missing_packages()) if role else (),
        role=role,
        ensurepip=environment is None and importlib.util.find_spec("ensurepip") is None,
        environment=environment,
    )


def announce(need: Need, cache: Path) -> None:
    """Say what is about to be installed, before anything is."""
    if not need.role and need.environment:
        return
    say("this machine is not set up for this version of tdlab yet. Set-up is going to:")
    lines = []
    if need.role:
        several = ", ".join(need.packages) or "none, all are there"
        lines += [f"install Debian packages, with what they depend on: {several}"]
        lines += ["see to it that libvirtd runs" + (f", and let {user} use it" if (user := _user()) else "")]
    if need.environment is None:
        count = len(environments.requirements(environments.LOCK.read_text()))
        lines += [f"put {count} locked Python packages into {cache / 'venv'} (300 MB)"]
    lines += [f"build a small Linux guest in {cache / 'images'}, unless it is there"]
    for line in lines:
        print(f"  - {line}", file=sys.stderr, flush=True)


def missing_packages() -> list[str]:
    """Return the role's packages that are not installed, in the role's order."""
    wanted = role_packages((PLAYBOOKS / "roles/lab_host/defaults/main.yml").read_text())
    seen = process.run(
        ["dpkg-query", "--show", "--showformat", "${Package} ${Status}\n", *wanted], timeout=30, check=False
    )
    installed = {
        line.split()[0] for line in seen.stdout.splitlines() if line.endswith("install ok installed")
    }
    return [name for name in wanted if name not in installed]


def role_packages(defaults: str) -> list[str]:
    """Return the package names in the text of the role's defaults, which has one a line."""
    return re.findall(r"^  - (\S+)$", defaults, flags=re.MULTILINE)


def _install(environment: Path, need: Need, phases: Phases, *, with_dev: bool) -> None:
    """Bring an environment, the host and the guest image to where they should be; skip what is there."""
    role, compiled = _role(environment), environments.compiled(environment)
    dev = environments.dev(environment)
    beside, last = (
        [],
        [Step("Building the small Linux guest", _module(environment, "domains.images", "build"))],
    )
    if need.environment is None:
        phases.side_by_side(environments.ansible(environment))
        beside += [environments.rest(environment)]
        last += [compiled]
        if sys.dont_write_bytecode:
            # Containers say so: every command would compile for longer than it works.
            last += [environments.bytecode(environment)]
    if with_dev and not environments.dev_marker(environment).exists():
        last += [dev]
    if need.role:
        beside += [role]
    logs = phases.side_by_side(*beside) if beside else {}
    if role.title in logs:
        print(logs[role.title].read_text().rstrip(), file=sys.stderr)
    try:
        phases.side_by_side(*last)
    finally:
        # A guest that could not be built is no reason to make the environment once more.
        if compiled.title in phases.succeeded:
            environments.declare_complete(environment)
        if dev.title in phases.succeeded:
            environments.dev_marker(environment).touch()


def _role(environment: Path) -> Step:
    user = _user()
    variables = {"lab_host_controller": True, "lab_host_users": [user] if user else []}
    words = ["localhost", "--extra-vars", json.dumps(variables)]
    return Step("Making this machine a lab host", _module(environment, "domains.provision", *words))


def _install_venv_module(phases: Phases, become: tuple[str, ...]) -> None:
    apt = [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"]
    apt += ["--option", "DPkg::Lock::Timeout=600"]
    phases.side_by_side(Step("Asking the Debian archive what is new", [*apt, "update", "--error-on=any"]))
    # python3-apt is for Ansible's apt module: here it costs a second, there another run of apt.
    words = ["install", "--no-install-recommends", "python3-venv", "python3-apt"]
    phases.side_by_side(Step("Installing Python's venv module", [*apt, *words]))


def _module(environment: Path, module: str, *words: str) -> list[str | Path]:
    return ["env", f"PYTHONPATH={CHECKOUT}", environment / "bin/python", "-P", "-m", module, *words]


def _stamp_is_current() -> bool:
    try:
        stamp = json.loads(STAMP.read_text())
    except (FileNotFoundError, ValueError):
        return False
    return bool(stamp.get("role") == role_digest() and stamp.get("controller"))


def _user() -> str | None:
    """Return the ordinary user who is to use libvirt, if there is one behind this set-up."""
    name = os.environ.get("SUDO_USER") if os.geteuid() == 0 else privilege.user_name()
    return None if name == "root" else name


def _become(need: Need) -> tuple[str, ...]:
    """Return the words before a command that needs root; raise an error that says what root would do."""
    if not need.root:
        return ()
    if (words := privilege.as_root()) is not None:
        return words
    lacking = ", ".join(need.packages) or "libvirtd's set-up for this version of tdlab"
    raise InfrastructureError(
        f"this machine has to be set up once by root, and this user may not: it lacks {lacking}",
        remedy=f"ask an administrator to run, once:\n    sudo '{CHECKOUT}/tdlab' --version\n"
        f"    sudo usermod --append --groups libvirt,kvm {_user() or 'USER'}\n"
        "  or, if you have sudo with a password: run 'sudo -v' first, then the same command again",
    )


@contextlib.contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Hold the lock of set-up; the kernel lets it go when this process ends, however it ends."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / "setup.lock").open("w")
    except OSError as refused:
        raise InfrastructureError(
            f"tdlab keeps what it makes in {cache}, and cannot write there: {refused}",
            remedy="name another folder: XDG_CACHE_HOME=/some/folder ./tdlab ...",
        ) from refused
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another tdlab is setting this machine up; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """``python -m domains.setup.bootstrap CACHE KEY COMMAND...``: for the launcher."""
    cache, key, *command = arguments
    try:
        set_up(Path(cache), key, command)
    except TdlabError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted; run the same command again to go on")
        return EXIT_INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
