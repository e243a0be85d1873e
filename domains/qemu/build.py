"""Our own QEMU: Debian's source package with the patches of this folder, built once and kept by its contents.

About 4 minutes on two cores and 1 GiB of scratch. The result is one file, which finds the firmware of the
distribution's packages by itself. It needs a compiler and headers from apt (root, once) and the network.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from domains import files, locks, privilege, process
from domains.errors import CapabilityMissing, DeadlineExceeded, InfrastructureError
from domains.qemu import home
from domains.qemu.home import Say

HERE = Path(__file__).resolve().parent
PATCHES = HERE / "patches"
MESON = HERE / "meson.txt"
PROGRAM = "qemu-system-x86_64"

# Debian 13 has the newest QEMU whose saved guests libvirt 11.3 can restore (11.1 cannot be saved by it).
SUITE = "trixie"
MIRROR = "http://deb.debian.org/debian"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# What apt has to bring: to fetch and check the source, to compile it, and the firmware that it loads.
FETCHING = ("debian-archive-keyring", "dpkg-dev", "python3-venv")
COMPILING = (
    "gcc",
    "libc6-dev",
    "ninja-build",
    "pkg-config",
    "flex",
    "bison",
    "libglib2.0-dev",
    "libpixman-1-dev",
    "libslirp-dev",
    "libfdt-dev",
    "zlib1g-dev",
)
FIRMWARE = ("qemu-system-data", "seabios", "ipxe-qemu")
BUILD_PACKAGES = (*FETCHING, *COMPILING, *FIRMWARE)

# Only what an emulated lab host uses: the fewer parts, the shorter the build.
CONFIGURE = (
    "--target-list=x86_64-softmmu",
    "--without-default-features",
    "--enable-system",
    "--enable-tcg",
    # Never used, and yet needed: libvirt probes an emulator without KVM anew at each start (8 to 17 s) on a
    # machine that has a /dev/kvm.
    "--enable-kvm",
    "--enable-slirp",
    "--enable-pixman",
    "--enable-fdt=system",
    "--disable-docs",
    "--disable-tools",
    "--disable-guest-agent",
    "--disable-install-blobs",
    "--disable-debug-info",
    # libvirt names an emulator by one path: there is no room for -L there.
    "--firmwarepath=/usr/share/qemu:/usr/share/seabios:/usr/lib/ipxe/qemu",
)

# 0.7 GB were seen in use at once.
NEEDS_BYTES = 3 << 29
_LOCK_SECONDS = 3600
# The newest, and the one before it, for whoever goes back to an older tdlab.
_KEPT = 2
_NETWORK = "it needs the network once (Debian's archive and PyPI): check it, then try again"


@dataclass
class _Works:
    """A build under way: where, what is printed, and the seconds that each step took."""

    scratch: Path
    log: IO[bytes]
    say: Say
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step of the build and tell its end."""
        self.log.write(f"\n== {name}\n".encode())
        self.log.flush()
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)
        self.say(f"  {name}: {self.seconds[name]:.0f} s")

    def run(
        self, argv: Sequence[str | Path], *, remedy: str, timeout: float = 600, cwd: Path | None = None
    ) -> None:
        """Run a program into the log; raises :class:`InfrastructureError` with its last words."""
        # Killed with us: a build that outlived its command would write where the next one clears up.
        tied = ["setpriv", "--pdeathsig", "KILL", "nice", *argv]
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        try:
            done = process.run(
                tied, timeout=timeout, check=False, cwd=cwd or self.scratch, env=env, log=self.log
            )
        except DeadlineExceeded as late:
            raise self._failed(argv, f"was not done after {late.seconds:g} s", remedy) from late
        if done.status != 0:
            raise self._failed(argv, f"ended with status {done.status}", remedy)

    def _failed(self, argv: Sequence[str | Path], how: str, remedy: str) -> InfrastructureError:
        self.log.flush()
        said = Path(self.log.name).read_text(errors="replace").strip().splitlines()[-1:]
        problem = f"QEMU could not be built: {Path(argv[0]).name} {how}: {''.join(said)}"
        return InfrastructureError(problem, remedy=f"{remedy}; the whole log: {self.log.name}")


def key() -> str:
    """Return the name of what this recipe builds (16 hex digits): patches, options, source suite."""
    whole = hashlib.sha256(json.dumps([SUITE, CONFIGURE]).encode())
    for file in (*sorted(PATCHES.glob("*.patch")), MESON):
        whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()[:16]


def built() -> Path | None:
    """Return our own QEMU if it is there and starts on this host, or None."""
    for folder in home.known():
        program = folder / f"own-{key()}" / "bin" / PROGRAM
        if program.is_file() and process.run([program, "--version"], timeout=20, check=False).status == 0:
            return program
    return None


def ensure_built(say: Say = lambda _: None) -> Path:
    """Return our own QEMU, building it first if it is not there. Safe to call from several processes.

    Raises :class:`CapabilityMissing` when the host lacks what building needs and this user may not install
    it, and :class:`InfrastructureError` when there is no room, no network, or a step fails.
    """
    if program := built():
        return program
    place = home.writable(say)
    with locks.held(place / ".building", "our own QEMU", _LOCK_SECONDS):
        home.clear(place, ".building-")
        if program := built():  # somebody else built it while this process waited
            return program
        return _build(place, say)


def _build(place: Path, say: Say) -> Path:
    home.require_room(place, NEEDS_BYTES, "building QEMU")
    say(f"building QEMU from Debian's source: about 4 minutes on two cores, once; the log: {_log(place)}")
    with (
        tempfile.TemporaryDirectory(dir=place, prefix=".building-") as name,
        _log(place).open("w+b") as log,
    ):
        works = _Works(Path(name), log, say)
        _install_packages(works)
        with works.step("source"):
            source = _fetch(works)
        with works.step("patch"):
            tree = _patched(works, source)
        _compile(works, tree)
        done = works.scratch / "done"
        with works.step("install"):
            program = _collect(works, tree, done, source)
        target = place / f"own-{key()}"
        if target.exists():  # it does not start here any more: its libraries are gone
            shutil.rmtree(target)
        done.rename(target)
        home.keep_newest(place, "own-", _KEPT)
    say(f"built QEMU in {sum(works.seconds.values()):.0f} s")
    return target / program


def _log(place: Path) -> Path:
    return place / f"own-{key()}.log"


def missing_packages() -> list[str]:
    """Return which of ``BUILD_PACKAGES`` are not installed; raises where there is no dpkg to ask."""
    if process.found("dpkg-query") is None:
        raise CapabilityMissing(
            "QEMU is built from Debian's source package, and this host has no dpkg",
            remedy="use a lab host with Debian or Ubuntu",
        )
    asked = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *BUILD_PACKAGES]
    lines = process.run(asked, timeout=30, check=False).stdout.splitlines()
    installed = {line.split()[0] for line in lines if line.endswith(" installed")}
    return [package for package in BUILD_PACKAGES if package not in installed]


def _install_packages(works: _Works) -> None:
    missing = missing_packages()
    if not missing:
        return
    words = f"apt-get install {' '.join(missing)}"
    root = privilege.as_root()
    if root is None:
        raise CapabilityMissing(
            f"building QEMU needs {len(missing)} packages that are not installed, and root to install them",
            remedy=f"ask an administrator: {words}",
        )
    works.say(f"installing what the build needs: {words}")
    with works.step("packages"):
        apt = [*root, "apt-get", "--quiet", "--yes", "--option=DPkg::Lock::Timeout=300"]
        works.run([*apt, "update"], remedy=_NETWORK)
        works.run([*apt, "install", "--no-install-recommends", *missing], remedy=_NETWORK, timeout=1200)


def _fetch(works: _Works) -> Path:
    """Download the source package, checked against Debian's keys; return its .dsc file.

    apt works in folders of its own: its sources are another release's than this host's.
    """
    state = works.scratch / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    sources = works.scratch / "sources.list"
    sources.write_text(f"deb-src [signed-by={KEYRING}] {MIRROR} {SUITE} main\n")
    options = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": state / "lists",
        "Dir::Cache": state / "cache",
        # As root, apt fetches as a user who may not write here.
        "APT::Sandbox::User": "root",
        "APT::Update::Error-Mode": "any",
    }
    apt = ["apt-get", "--quiet", *(f"--option={name}={value}" for name, value in options.items())]
    works.run([*apt, "update"], remedy=_NETWORK)
    works.run([*apt, "source", "--download-only", "qemu"], remedy=_NETWORK)
    (source,) = works.scratch.glob("qemu_*.dsc")
    return source


def _patched(works: _Works, source: Path) -> Path:
    tree = works.scratch / "qemu"
    # apt has checked the files against the signed index; the maintainer's own signature needs more keys.
    works.run(["dpkg-source", "--no-check", "--extract", source, tree], remedy="see what it says")
    for patch in sorted(PATCHES.glob("*.patch")):
        remedy = f"{source.name} has changed where {patch.name} applies: is it fixed there?"
        works.run(["patch", "--strip=1", "--forward", "--batch", f"--input={patch}"], remedy=remedy, cwd=tree)
    return tree


def _compile(works: _Works, tree: Path) -> None:
    python = works.scratch / "python"
    with works.step("meson"):
        works.run([sys.executable, "-m", "venv", str(python)], remedy="install python3-venv")
        pip = (python / "bin/python", "-m", "pip", "install", "--quiet", "--require-hashes")
        works.run([*pip, "--requirement", MESON], remedy=_NETWORK)
    compiler = "see what the compiler says"
    with works.step("configure"):
        configure = [str(tree / "configure"), f"--python={python / 'bin/python'}", *CONFIGURE]
        works.run(configure, remedy=compiler, cwd=tree)
    with works.step("compile"):
        ninja = ["ninja", f"-j{len(os.sched_getaffinity(0))}", PROGRAM]
        works.run(ninja, remedy=compiler, timeout=3600, cwd=tree / "build")


def _collect(works: _Works, tree: Path, done: Path, source: Path) -> Path:
    """Put what is kept into the folder ``done``; return the program's path in it."""
    program = Path("bin") / PROGRAM
    (done / program).parent.mkdir(parents=True)
    works.run(["strip", "-o", done / program, tree / "build" / PROGRAM], remedy="install binutils")
    works.run([done / program, "--version"], remedy="the program does not start")
    version = source.stem.removeprefix("qemu_")
    manifest = {"source": version, "suite": SUITE, "configure": CONFIGURE, "seconds": works.seconds}
    files.write_whole(done / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    for folder in (done, done / "bin"):
        folder.chmod(0o755)
    return program
