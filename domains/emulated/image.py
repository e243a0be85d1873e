"""The disk of an emulated lab host: Debian 13 with the packages of the role lab_host, built once.

Root is not needed: mmdebstrap and mke2fs work in a user namespace. The kernel and its initramfs are kept
beside the disk, for direct boot.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from domains import locks, paths, process
from domains.errors import CapabilityMissing, InfrastructureError, ProcessError, TdlabError
from domains.guest_image import kernel

SUITE = "trixie"
RECIPE = Path(__file__).resolve().parent / "recipe"
# What makes a bare Debian a machine that boots, is reached and can be asked; the rest is the role's.
BASE_PACKAGES = (
    "linux-image-amd64",
    "initramfs-tools",
    "systemd-sysv",
    "udev",
    "kmod",
    "openssh-server",
    "python3-minimal",
    "python3",
    "python3-apt",
    "qemu-guest-agent",
    "pciutils",
)
DISK_SIZE = "8G"
# Downloads, the unpacked tree, its archive, the disk: what was seen to be in use at once, and a reserve.
NEEDS_BYTES = 4 << 30
_BUILD_SECONDS = 1200
_LOCK_SECONDS = 1500
# Timers and daemons that nobody waits for on a host that lives for an hour.
_UNWANTED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"),
    *("e2scrub_all.timer", "e2scrub_reap.service", "systemd-pstore.service", "libvirt-guests.service"),
    *("systemd-logind.service", "getty@tty1.service", "ldconfig.service"),
)
_COMMANDS = (
    "systemctl enable tdlab-seed.service systemd-networkd.service ssh.service libvirtd.service",
    f"systemctl mask {' '.join(_UNWANTED)}",
    "systemd-machine-id-setup",
)
_WRITE_DISK = (
    'set -eu; mkdir "$1/tree"; tar -x -p --numeric-owner -f "$2" -C "$1/tree" --exclude "./dev/*"; '
    # Without a journal: the disk is an overlay that is thrown away.
    'mke2fs -q -t ext4 -O ^has_journal -m 0 -E lazy_itable_init=1 -d "$1/tree" "$3" ' + DISK_SIZE + "; "
    'rm -rf "$1/tree"'
)
_PROGRAMS = ("mmdebstrap", "mke2fs", "qemu-img", "tar")

Say = Callable[[str], None]


@dataclass(frozen=True)
class HostImage:
    """A disk and a kernel that boot together, and the packages that they were made of."""

    folder: Path
    digest: str
    release: str

    @property
    def disk(self) -> Path:
        """The root file system in a qcow2 file; hosts run on overlays of it."""
        return self.folder / "disk.qcow2"

    @property
    def kernel(self) -> Path:
        """The unpacked ELF kernel."""
        return self.folder / "vmlinux"

    @property
    def initramfs(self) -> Path:
        """What finds the root disk."""
        return self.folder / "initrd"


def build(say: Say = lambda _: None) -> HostImage:
    """Return the host image, building it first if its recipe changed. Safe to call from several processes.

    Raises :class:`CapabilityMissing` when a program for building is not installed, and
    :class:`InfrastructureError` when there is no room, or the packages cannot be had.
    """
    home = _home()
    digest = recipe_digest()
    if made := load(home / digest):
        return made
    with locks.held(home / ".lock", "the lab host's image", _LOCK_SECONDS):
        _sweep(home, digest)
        return load(home / digest) or _make(home, digest, say)


def where() -> HostImage | None:
    """Return the image that :func:`build` would return without building, or None."""
    return load(_home() / recipe_digest())


def obstacle() -> TdlabError | None:
    """Return what would keep :func:`build` from building here, as far as that is seen without the network."""
    try:
        _require_programs()
        _require_room(_home())
    except TdlabError as found:
        return found
    return None


def load(folder: Path) -> HostImage | None:
    """Return the image in a folder, or None. A folder with its name is always complete."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except FileNotFoundError:
        return None
    return HostImage(folder, manifest["digest"], manifest["release"])


def packages() -> list[str]:
    """Return the names of the packages that an emulated lab host has from the beginning."""
    defaults = yaml.safe_load((paths.PLAYBOOKS / "roles/lab_host/defaults/main.yml").read_text())
    return sorted({*BASE_PACKAGES, *defaults["lab_host_packages"]})


def recipe_digest() -> str:
    """Return the digest of everything that decides about an image but the packages' versions."""
    words = [word.replace(str(RECIPE), "recipe") for word in _words(Path("root.tar"))]
    whole = hashlib.sha256(json.dumps([words, _WRITE_DISK]).encode())
    for file in sorted(RECIPE.rglob("*")):
        if file.is_file():
            whole.update(f"{file.name}\0{file.stat().st_mode & 0o777}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:20]


def _home() -> Path:
    home = paths.cache() / "hosts"
    home.mkdir(exist_ok=True)
    return home


def _make(home: Path, digest: str, say: Say) -> HostImage:
    _require_programs()
    _require_room(home)
    began = time.monotonic()
    say(f"building the image of the emulated lab host (Debian {SUITE}): this takes a minute or two, once")
    with tempfile.TemporaryDirectory(dir=home, prefix=".making-") as name:
        scratch, image = Path(name), Path(name) / "image"
        # mmdebstrap's namespace has other users than ours: they must be able to come in.
        scratch.chmod(0o755)
        image.mkdir()
        root = scratch / "root.tar"
        _bootstrap(root)
        release = _take_kernel(root, image)
        _write_disk(root, scratch, image / "disk.qcow2")
        manifest = {"digest": digest, "release": release, "suite": SUITE, "packages": packages()}
        (image / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
        image.chmod(0o755)
        image.rename(home / digest)
    say(f"built the image of the emulated lab host in {time.monotonic() - began:.0f} s")
    made = load(home / digest)
    assert made is not None  # noqa: S101 (it was renamed into place a few lines above)
    return made


def _words(to: Path) -> list[str]:
    """Return what makes the archive of a whole Debian that has the recipe's files."""
    customize = [
        f"sync-in {RECIPE / 'after'} /",
        *(f'chroot "$1" {command}' for command in _COMMANDS),
        # Its SSH keys come with the seed: two hosts must not share the image's.
        'rm -f "$1"/etc/ssh/ssh_host_*',
        # libvirt's own network would take a subnet and half a second of each boot.
        'rm -f "$1"/etc/libvirt/qemu/networks/autostart/default.xml',
        # What systemd does after each update has been done: its first boot need not do it again.
        'touch "$1"/etc/.updated "$1"/var/.updated',
    ]
    return [
        "mmdebstrap",
        "--variant=apt",
        "--quiet",
        f"--include={','.join(packages())}",
        *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("man", "doc", "locale")),
        # It says which modules the initramfs gets, so it is there before the kernel is.
        f"--essential-hook=sync-in {RECIPE / 'before'} /",
        *(f"--customize-hook={hook}" for hook in customize),
        SUITE,
        str(to),
    ]


def _bootstrap(to: Path) -> None:
    try:
        process.run(_words(to), timeout=_BUILD_SECONDS)
    except ProcessError as failed:
        raise InfrastructureError(
            f"the packages of the emulated lab host could not be had: {_told(failed)}",
            remedy="it needs a Debian mirror once: check the network, then try again",
        ) from failed


def _take_kernel(root: Path, image: Path) -> str:
    """Unpack kernel and initramfs from the archive; return the kernel's release."""
    names = process.run(["tar", "-t", "-f", root, "--wildcards", "./boot/*"], timeout=120).stdout.split()
    kernels = [name for name in names if name.startswith("./boot/vmlinuz-")]
    if len(kernels) != 1:
        raise InfrastructureError(f"the host image holds {len(kernels)} kernels, not one")
    release = kernels[0].removeprefix("./boot/vmlinuz-")
    initrd = f"./boot/initrd.img-{release}"
    process.run(["tar", "-x", "-f", root, "-C", image, kernels[0], initrd], timeout=120)
    kernel.unpack(image / kernels[0], image / "vmlinux")
    (image / initrd).rename(image / "initrd")
    shutil.rmtree(image / "boot")
    for file in (image / "vmlinux", image / "initrd"):
        file.chmod(0o644)
    return release


def _write_disk(root: Path, scratch: Path, to: Path) -> None:
    """Make a file system of the archive without mounting anything: unpacked as root of a user namespace."""
    raw = scratch / "disk.raw"
    namespace = (
        []
        if os.geteuid() == 0
        else ["unshare", "--user", "--map-root-user", "--map-auto", "--setgroups=allow"]
    )
    process.run([*namespace, "sh", "-c", _WRITE_DISK, "sh", scratch, root, raw], timeout=_BUILD_SECONDS)
    process.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, to], timeout=_BUILD_SECONDS)
    to.chmod(0o644)


def _require_programs() -> None:
    missing = [program for program in _PROGRAMS if process.found(program) is None]
    if missing:
        raise CapabilityMissing(
            f"building the image of an emulated lab host needs {', '.join(missing)}, not installed here",
            remedy="run ./tdlab once as root to set this host up, or: apt-get install mmdebstrap e2fsprogs",
        )


def _require_room(home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < NEEDS_BYTES:
        raise InfrastructureError(
            f"{home} has {free / 2**30:.1f} GiB left; a host image needs {NEEDS_BYTES / 2**30:.0f} GiB",
            remedy="make room, or set XDG_CACHE_HOME to a folder on a larger file system",
        )


def _told(failed: ProcessError) -> str:
    lines = [line for line in failed.stderr.splitlines() if line.startswith(("E:", "W:", "mmdebstrap:"))]
    return (lines or failed.stderr.strip().splitlines() or ["mmdebstrap gave no reason"])[0]


def _sweep(home: Path, keep: str) -> None:
    """Remove what a killed build left, and images of other recipes. Called with the lock held."""
    for left in home.iterdir():
        if left.is_dir() and left.name != keep:
            shutil.rmtree(left)
