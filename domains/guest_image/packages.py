"""Find, fetch and unpack the distribution's packages as an ordinary user: nothing is installed."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from pathlib import Path

from domains.errors import CapabilityMissing, InfrastructureError
from domains.guest_image import contents
from domains.process import run

# What is followed from one package to the next: libraries and parts of the kernel. The rest (perl, adduser,
# initramfs-tools, ...) serves installing a package, and nothing is installed here.
_FOLLOWED = re.compile(r"^(lib|zlib|linux-image-|linux-modules-|gcc-\d+-base$)")

_DEPENDS = re.compile(r"^ [ |](?:Pre)?Depends: (\S+)$")

# Where apt keeps what decides about candidates; none of it changing, its answer does not change either.
_APT_STATE = (
    "/var/lib/apt/lists",
    "/var/lib/dpkg/status",
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d",
    "/etc/apt/preferences",
    "/etc/apt/preferences.d",
)


def apt_state() -> str:
    """Return a word that changes whenever apt's answer about candidates may change."""
    return " ".join(f"{_mtime(Path(path))}" for path in _APT_STATE)


def _mtime(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def candidates() -> dict[str, str]:
    """Return name → version of every package that the guest is made of, as apt would install it now.

    Needs neither root nor network. Raises :class:`CapabilityMissing` on another architecture or distribution,
    and :class:`InfrastructureError` when apt knows no candidate.
    """
    if platform.machine() != "x86_64":
        raise CapabilityMissing(f"the guest image is made for x86_64; this host is {platform.machine()}")
    system = platform.freedesktop_os_release()
    kernel = contents.kernel_package(system.get("ID", ""), system.get("ID_LIKE", ""))
    return with_libraries((kernel, *contents.PROGRAM_PACKAGES))


def with_libraries(roots: tuple[str, ...]) -> dict[str, str]:
    """Return name → version of packages and of the libraries and parts of the kernel that they need."""
    options = [
        f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    ]
    listed = run(["apt-cache", "depends", "--recurse", *options, *roots], timeout=60, check=False)
    names = closure(roots, dependencies(listed.stdout))
    found = versions(run(["apt-cache", "policy", *names], timeout=60).stdout)
    for name in names:
        if name not in found:
            raise InfrastructureError(
                f"apt knows no candidate for the package {name}", remedy="run apt-get update as root"
            )
    return found


def dependencies(listed: str) -> dict[str, set[str]]:
    """Read ``apt-cache depends --recurse``: a package at the line's start, what it needs indented below."""
    graph: dict[str, set[str]] = {}
    current: set[str] = set()
    for line in listed.splitlines():
        if line and not line.startswith((" ", "<")):
            current = graph.setdefault(line.split(":")[0], set())
        elif match := _DEPENDS.match(line):
            current.add(match[1].split(":")[0])
    return graph


def closure(roots: tuple[str, ...], graph: Mapping[str, set[str]]) -> list[str]:
    """Return the roots and what they need, as far as it is a library or a part of the kernel."""
    names: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in names:
            continue
        names.add(name)
        waiting.extend(need for need in graph.get(name, ()) if _FOLLOWED.match(need))
    return sorted(names)


def versions(policy: str) -> dict[str, str]:
    """Read the candidate of each package from ``apt-cache policy``."""
    found: dict[str, str] = {}
    name = ""
    for line in policy.splitlines():
        if line and not line.startswith(" "):
            name = line.rstrip(":").split(":")[0]
        elif line.startswith("  Candidate: ") and not line.endswith("(none)"):
            found[name] = line.removeprefix("  Candidate: ")
    return found


def fetch(packages: Mapping[str, str], folder: Path) -> None:
    """Download packages and unpack them into ``folder/root``; the archives are removed at once."""
    debs, root = folder / "debs", folder / "root"
    debs.mkdir()
    root.mkdir()
    wanted = [f"{name}={version}" for name, version in sorted(packages.items())]
    # As root, apt fetches as the user _apt, who may not write here: root itself is the right user then.
    options = ["--quiet", "--option=APT::Sandbox::User=root"]
    run(["apt-get", *options, "download", *wanted], timeout=900, cwd=debs)
    for deb in sorted(debs.iterdir()):
        run(["dpkg-deb", "--extract", deb, root], timeout=300)
        deb.unlink()
