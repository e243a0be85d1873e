"""The machine that a candidate QEMU is made to run: a kernel with KVM and igb, and the probe in Python.

Made like the guest image (:mod:`domains.images`) from the distribution's packages, as an ordinary user, and
kept by the digest of its recipe and its packages.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domains import locks, paths
from domains.errors import CapabilityMissing, InfrastructureError
from domains.guest_image import contents, initramfs, kernel, modules, packages
from domains.guest_image.initramfs import Entry
from domains.process import run

HERE = Path(__file__).resolve().parent / "guest"
# The lab's own hypervisor: what students read is what the probe runs.
HYPERVISOR = paths.LABS / "r202" / "experiments" / "exit-meter" / "exit_meter.py"
DRIVERS = ("kvm_amd", "igb")
BUSYBOX = "busybox-static"
# What the probe and the hypervisor import beside plain modules; some are built in, by distribution.
EXTENSIONS = ("_contextvars", "_ctypes", "_decimal", "_json", "_struct", "fcntl", "mmap")
LIBRARY = ("encodings", "collections", "ctypes", "importlib", "json", "pathlib", "re", "string", "urllib")

_LOCK_SECONDS = 900
_LOADER = "ld-linux-x86-64.so.2"
_EXECUTABLE, _PLAIN, _LINK = stat.S_IFREG | 0o755, stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777

Say = Callable[[str], None]


@dataclass(frozen=True)
class ProbeImage:
    """A kernel and an initramfs for direct boot, and the digest of both."""

    kernel: Path
    initramfs: Path
    digest: str


def build(say: Say = lambda _: None) -> ProbeImage:
    """Return the probe image, making it first if it is not kept. Safe to call from several processes.

    Raises :class:`InfrastructureError` when it can neither be found nor made (it needs the network once).
    """
    home = paths.cache() / "qemu" / "probe-image"
    home.mkdir(parents=True, exist_ok=True)
    versions = _versions()
    digest = _digest(versions)
    with locks.held(home / ".lock", "the image that probes QEMU", _LOCK_SECONDS):
        if not (home / digest).is_dir():
            for old in [*home.glob(".making-*"), *(one for one in home.iterdir() if one.is_dir())]:
                shutil.rmtree(old, ignore_errors=True)
            say("making the image that probes QEMU")
            _make(home, digest, versions)
    return ProbeImage(home / digest / "vmlinux", home / digest / "initramfs.cpio", digest)


def recipe() -> str:
    """Return the digest of the probe itself: a verdict of another probe is worth nothing."""
    whole = hashlib.sha256()
    for file in (*sorted(HERE.iterdir()), HYPERVISOR, Path(__file__)):
        if file.is_file():
            whole.update(f"{file.name}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:16]


def _digest(versions: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps([recipe(), sorted(versions.items())]).encode()).hexdigest()[:20]


def _versions() -> dict[str, str]:
    """Return name → version of the packages: the kernel, busybox, and Python as this distribution has it."""
    if platform.machine() != "x86_64":
        raise CapabilityMissing(f"the probe is made for x86_64; this host is {platform.machine()}")
    system = platform.freedesktop_os_release()
    python = _python_packages(_depends("python3-minimal")["python3-minimal"])
    kernel_package = contents.kernel_package(system.get("ID", ""), system.get("ID_LIKE", ""))
    roots = (kernel_package, BUSYBOX, *python)
    names = packages.closure(roots, _depends("--recurse", *roots))
    found = packages.versions(run(["apt-cache", "policy", *names], timeout=60).stdout)
    if missing := [name for name in names if name not in found]:
        raise InfrastructureError(
            f"apt knows no candidate for the packages {', '.join(missing)}",
            remedy="run apt-get update as root",
        )
    return found


def _depends(*words: str) -> dict[str, set[str]]:
    options = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces")]
    listed = run(["apt-cache", "depends", *options, *words], timeout=60, check=False).stdout
    graph = packages.dependencies(listed)
    if not graph:
        raise InfrastructureError(
            f"apt knows nothing about {' '.join(words)}", remedy="run apt-get update as root"
        )
    return graph


def _python_packages(needed: set[str]) -> tuple[str, ...]:
    """Return the interpreter (python3.X-minimal) and the library that holds ctypes."""
    minimal = next(name for name in sorted(needed) if name.startswith("python3.") and "minimal" in name)
    return minimal, f"lib{minimal.removesuffix('-minimal')}-stdlib"


def _make(home: Path, digest: str, versions: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(dir=home, prefix=".making-") as name:
        scratch, image = Path(name), Path(name) / "image"
        image.mkdir()
        packages.fetch(versions, scratch)
        root = scratch / "root"
        (packed,) = (root / "boot").glob("vmlinuz-*")
        release = packed.name.removeprefix("vmlinuz-")
        tree = next(at for at in (root / "lib", root / "usr/lib") if (at / "modules" / release).is_dir())
        chosen = modules.select(tree / "modules" / release, DRIVERS, root)
        kernel.unpack(packed, image / "vmlinux")
        entries = [*_userland(root), *initramfs.module_files(chosen, release)]
        (image / "initramfs.cpio").write_bytes(initramfs.archive([*entries, *initramfs.folders(entries)]))
        image.rename(home / digest)


def _userland(root: Path) -> list[Entry]:
    """Return busybox, Python with its libraries, and the probe."""
    busybox = next(file for file in (root / "usr/bin/busybox", root / "bin/busybox") if file.is_file())
    python = next(file for file in (root / "usr/bin").glob("python3.*") if file.is_file())
    library = root / "usr/lib" / python.name
    extensions = [file for name in EXTENSIONS for file in (library / "lib-dynload").glob(f"{name}.*.so")]
    for file in (HERE / "probe.py", HYPERVISOR):
        shutil.copy(file, root)
    own = [root / "probe.py", root / HYPERVISOR.name]
    compiled = _compiled(root, python, [*_modules(library), own[1]])
    return [
        Entry("bin/busybox", _EXECUTABLE, busybox.read_bytes()),
        *initramfs.applets(busybox),
        Entry("usr/bin/python3", _EXECUTABLE, python.read_bytes()),
        Entry("bin/python3", _LINK, b"/usr/bin/python3"),
        *(
            Entry(str(file.relative_to(root)), _PLAIN, file.read_bytes())
            for file in (*_modules(library), *compiled, *extensions, *own)
        ),
        *initramfs.libraries(root, [python, *extensions]),
        Entry("init", _EXECUTABLE, (HERE / "init").read_bytes()),
        Entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)),
    ]


def _modules(library: Path) -> list[Path]:
    """Return the modules of the standard library that the probe may need: plain ones, and a few packages."""
    packaged = [file for name in LIBRARY for file in (library / name).rglob("*.py")]
    return sorted([*library.glob("*.py"), *packaged])


def _compiled(root: Path, python: Path, sources: list[Path]) -> list[Path]:
    """Compile modules with the packages' own Python; under emulation it would take seconds, each time."""
    places = [root / place / "x86_64-linux-gnu" for place in ("usr/lib", "lib")]
    loader = next(place / _LOADER for place in places if (place / _LOADER).exists())
    started = [str(loader), "--library-path", ":".join(map(str, places)), str(python), "-S"]
    # The files' times are lost in the archive, so the code must not be held against them.
    words = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-i", "-"]
    run([*started, *words], timeout=120, stdin="\n".join(map(str, sources)) + "\n")
    return [file for one in sources for file in (one.parent / "__pycache__").glob(f"{one.stem}.*.pyc")]
