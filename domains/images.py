"""The guest image: made from the distribution's packages once, and kept by its contents.

``python -m domains.images build`` makes it if need be and prints its folder; ``where`` only looks.

An image's digest stands for the recipe (the files of :mod:`domains.guest_image`) and for the versions of
its packages. apt is asked for these versions, offline; its answer is remembered until apt's own files change.
When apt knows newer packages but cannot fetch them, an image of the same recipe is used, and that is said.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains import files, locks, paths
from domains.errors import InfrastructureError, TdlabError, UsageError
from domains.guest_image import contents, initramfs, kernel, modules, packages

# Every cell boots with these, so that none has an advantage. Seconds were measured under TCG on two cores,
# from starting QEMU to the agent's first answer: 3.1 without the five from ipv6 on, 2.6 with them.
KERNEL_ARGUMENTS = (
    "console=ttyS0",
    "quiet",
    "panic=-1",  # a guest that panics ends at once instead of hanging until a deadline
    # Mitigations in the guest cost system calls, whatever the NIC; off, more of what is left is the NIC's.
    "mitigations=off",
    # No router solicitations and multicast reports among the packets and exits that are counted.
    "ipv6.disable=1",
    "cryptomgr.notests",  # 0.3 s
    "noreplace-smp",  # 0.2 s of rewriting the kernel's code, which an emulator then translates again
    "rodata=off",  # 0.15 s of checking page tables
    "lsm=",  # 0.1 s of starting security modules that guard nothing here
    # Inside an emulated host 1.6 s of asking each of 255 buses for devices that ACPI did not name, at two
    # exits each; and 0.6 s of the self-test of a key derivation that nothing uses.
    "pci=lastbus=0",
    # On a busy machine an emulated timer is late, and the kernel would panic over it ("timer doesn't work").
    "no_timer_check",
    "initcall_blacklist=crypto_kdf108_init",
)
# For a guest without disks: q35 always has a controller for them, whose drivers take their time to find none.
NO_DISKS = "tdlab.disks=none"

# Where `tdlab deploy` puts an image on students' machines, so that a whole class measures with the same one.
DEPLOYED = Path("/opt/tdlab/images")

_KEPT = 3
_LOCK_SECONDS = 900

Say = Callable[[str], None]


@dataclass(frozen=True)
class GuestImage:
    """A kernel and an initramfs that boot together, and what they were made of."""

    folder: Path
    digest: str
    release: str
    packages: Mapping[str, str]

    @property
    def kernel(self) -> Path:
        """The unpacked ELF kernel, for direct boot (``-kernel``, ``<kernel>``)."""
        return self.folder / "vmlinux"

    @property
    def initramfs(self) -> Path:
        """The cpio archive, for ``-initrd`` or ``<initrd>``."""
        return self.folder / "initramfs.cpio"


def build(say: Say = lambda _: None) -> GuestImage:
    """Return the guest image, making it first if its inputs changed. Safe to call from several processes.

    ``say`` gets one sentence for each thing worth telling. Needs no root; needs the network only to make.
    Raises :class:`InfrastructureError` when it is neither there nor can be made.
    """
    home = _home()
    recipe = recipe_digest()
    if deployed := newest(DEPLOYED, recipe):
        return deployed
    try:
        wanted = _resolved(home)
    except InfrastructureError as unknown:
        return _older(home, recipe, unknown, say)
    digest = image_digest(recipe, wanted)
    if made := load(home / digest):
        return made
    with locks.held(home / ".lock", "the guest image", _LOCK_SECONDS):
        _sweep(home, keep=digest)
        if made := load(home / digest):  # somebody else made it while this process waited
            return made
        try:
            return _make(home, digest, recipe, wanted, say)
        except InfrastructureError as failed:
            return _older(home, recipe, failed, say)


def where() -> GuestImage | None:
    """Return the newest image of the recipe that there is, or None."""
    return _there(_home(), remember=True) or newest(_home(), recipe_digest())


def ready() -> GuestImage | None:
    """Return the image that :func:`build` would return at once, or None where it would make one.

    Writes nothing.
    """
    return _there(paths.cache() / "images", remember=False)


def _there(home: Path, *, remember: bool) -> GuestImage | None:
    recipe = recipe_digest()
    if deployed := newest(DEPLOYED, recipe):
        return deployed
    try:
        return load(home / image_digest(recipe, _resolved(home, remember=remember)))
    except InfrastructureError:  # apt has no answer here: only what is kept can be had
        return newest(home, recipe)


def recipe_digest() -> str:
    """Return the digest of the builder and of everything that it puts into the guest by itself."""
    whole = hashlib.sha256()
    for file in sorted(contents.HERE.iterdir()):
        if file.is_file():
            whole.update(f"{file.name}\0{file.stat().st_size}\0".encode())
            whole.update(file.read_bytes())
    return whole.hexdigest()


def image_digest(recipe: str, versions: Mapping[str, str]) -> str:
    """Return the name of the image made by a recipe from packages of these versions (20 hex digits)."""
    text = json.dumps([recipe, sorted(versions.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def load(folder: Path) -> GuestImage | None:
    """Return the image in a folder, or None if there is none. A folder with its name is always complete."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except FileNotFoundError:
        return None
    return GuestImage(folder, manifest["digest"], manifest["release"], manifest["packages"])


def newest(home: Path, recipe: str) -> GuestImage | None:
    """Return the image of a recipe that was made last, from packages of whichever version."""
    manifests = sorted(home.glob("*/manifest.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for manifest in manifests:
        if json.loads(manifest.read_text())["recipe"] == recipe:
            return load(manifest.parent)
    return None


def _home() -> Path:
    home = paths.cache() / "images"
    home.mkdir(exist_ok=True)
    return home


def _older(home: Path, recipe: str, why: InfrastructureError, say: Say) -> GuestImage:
    kept = newest(home, recipe)
    if kept is None:
        raise InfrastructureError(
            f"the guest image cannot be made: {why.problem}",
            remedy=why.remedy or "it needs the distribution's package archive once: check the network",
        ) from why
    say(f"the guest image of {kept.release} is used as it is; a newer one cannot be made: {why.problem}")
    return kept


def _resolved(home: Path, *, remember: bool = True) -> dict[str, str]:
    """Return the packages' versions; apt needs a second to answer, so its answer is kept."""
    memo = home / "candidates.json"
    state = f"{packages.apt_state()} {recipe_digest()}"
    try:
        kept: dict[str, Any] = json.loads(memo.read_text())
        if kept["state"] == state:
            return dict(kept["packages"])
    except (FileNotFoundError, json.JSONDecodeError):
        pass  # the first time, or a crash while the file system was full: ask again
    found = packages.candidates()
    if remember:
        files.write_whole(memo, json.dumps({"state": state, "packages": found}))
    return found


def _make(home: Path, digest: str, recipe: str, versions: Mapping[str, str], say: Say) -> GuestImage:
    say(
        f"making the guest image from {len(versions)} packages of {platform.freedesktop_os_release()['NAME']}"
    )
    with tempfile.TemporaryDirectory(dir=home, prefix=".making-") as name:
        scratch, image = Path(name), Path(name) / "image"
        image.mkdir()
        packages.fetch(versions, scratch)
        release = _write(scratch / "root", image)
        manifest = {"digest": digest, "recipe": recipe, "release": release, "packages": dict(versions)}
        (image / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
        for file in image.iterdir():
            file.chmod(0o644)
        image.chmod(0o755)
        image.rename(home / digest)
    made = load(home / digest)
    assert made is not None  # noqa: S101 (it was renamed into place one line above)
    return made


def _write(root: Path, image: Path) -> str:
    """Write kernel and initramfs from unpacked packages; return the kernel's release."""
    kernels = sorted((root / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise InfrastructureError(f"the packages hold {len(kernels)} kernels, not one")
    release = kernels[0].name.removeprefix("vmlinuz-")
    tree = next(place for place in (root / "lib", root / "usr/lib") if (place / "modules" / release).is_dir())
    kernel.unpack(kernels[0], image / "vmlinux")
    chosen = modules.select(tree / "modules" / release, contents.DRIVERS, root)
    entries = initramfs.collect(root, chosen, release)
    (image / "initramfs.cpio").write_bytes(initramfs.archive(entries))
    return release


def _sweep(home: Path, keep: str) -> None:
    """Remove what a killed build left, and all but the images made last. Called with the lock held."""
    for left in home.glob(".making-*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    made = sorted(home.glob("*/manifest.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for manifest in made[_KEPT - 1 :]:
        if manifest.parent.name != keep:
            shutil.rmtree(manifest.parent)


def main(words: list[str]) -> int:
    """Serve set-up scripts: the folder on stdout, messages on stderr."""
    try:
        match words:
            case ["build"]:
                image: GuestImage | None = build(say=lambda text: print(text, file=sys.stderr))
            case ["where"]:
                image = where()
            case _:
                raise UsageError("usage: python -m domains.images build|where")
    except TdlabError as wrong:
        print(wrong, file=sys.stderr)
        return wrong.exit_code
    if image:
        print(image.folder)
    return 0 if image else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
