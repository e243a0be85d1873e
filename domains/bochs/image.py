"""Make and keep the Intel appliance: Bochs with its libraries, and a CD with a kernel, Python and KVM.

All of it comes from the distribution's packages, fetched and unpacked as an ordinary user: nothing is
installed, and the machine needs neither root nor a Bochs of its own. What was made is kept by the digest of
its recipe and its packages.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from domains import locks, paths
from domains.bochs import contents, library
from domains.errors import CapabilityMissing, InfrastructureError
from domains.guest_image import initramfs, modules, packages
from domains.guest_image.initramfs import Entry
from domains.process import run

_LOCK_SECONDS = 900
_KEPT = 2
_EXECUTABLE, _PLAIN, _LINK = stat.S_IFREG | 0o755, stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777
_LOADER = "lib64/ld-linux-x86-64.so.2"
_APPLETS = ("sh", "mount", "modprobe", "rmmod", "poweroff")
# The kernel checks a signature by hashing the whole module, which takes seconds in an emulator.
_SIGNED = b"~Module signature appended~\n"
_SIGNATURE_HEADER = 12

Say = Callable[[str], None]


@dataclass(frozen=True)
class ApplianceImage:
    """Where the appliance is kept: its CD, Bochs with all that it needs, and what they were made of."""

    folder: Path
    release: str
    packages: Mapping[str, str]

    @property
    def bochs_version(self) -> str:
        """The upstream version of Bochs, from its package's: "2.7" of "2.7+dfsg-4"."""
        return _upstream(self.packages["bochs"])


def _upstream(version: str) -> str:
    return version.partition("-")[0].partition("+")[0]


def build(say: Say = lambda _: None) -> ApplianceImage:
    """Return the appliance, making it first if it is not kept. Safe to call from several processes.

    Needs no root; needs the network only to make. When newer packages cannot be had, the appliance that was
    made last from the same recipe is used, and that is said. Raises :class:`CapabilityMissing` where there
    are no packages to make it from, and :class:`InfrastructureError` when it cannot be made.
    """
    home = paths.cache() / "bochs"
    home.mkdir(exist_ok=True)
    with locks.held(home / ".lock", "Bochs's appliance", _LOCK_SECONDS):
        for left in home.glob(".making-*"):
            shutil.rmtree(left)
        try:
            versions = _versions()
            digest = image_digest(recipe_digest(), versions)
            if not (home / digest).is_dir():
                _make(home, digest, versions, say)
            made = _load(home / digest)
        except InfrastructureError as failed:
            made = _older(home, failed, say)
        _sweep(home, made.folder)
    return made


def recipe_digest() -> str:
    """Return the digest of the builder and of everything that it puts into the appliance by itself."""
    whole = hashlib.sha256()
    ours = (Path(__file__), Path(library.__file__), Path(contents.__file__), *contents.HERE.iterdir())
    for file in sorted(one for one in (*ours, Path(initramfs.__file__)) if one.is_file()):
        whole.update(f"{file.name}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:20]


def image_digest(recipe: str, versions: Mapping[str, str]) -> str:
    """Return the name of the appliance made by a recipe from packages of these versions."""
    return hashlib.sha256(json.dumps([recipe, sorted(versions.items())]).encode()).hexdigest()[:20]


def unsigned(module: bytes) -> bytes:
    """Return a kernel module without the signature behind it (struct module_signature of the kernel)."""
    if not module.endswith(_SIGNED):
        return module
    body = module.removesuffix(_SIGNED)
    length = int.from_bytes(body[-4:], "big")
    return body[: -_SIGNATURE_HEADER - length]


def _versions() -> dict[str, str]:
    if platform.machine() != "x86_64":
        raise CapabilityMissing(
            f"the Intel appliance is made for x86_64; this host is {platform.machine()}",
            remedy="run it on an x86_64 host",
        )
    system = platform.freedesktop_os_release()
    kernel = contents.kernel_package(system.get("ID", ""), system.get("ID_LIKE", ""))
    python = _python_packages(
        run(["apt-cache", "depends", "python3-minimal"], timeout=60, check=False).stdout
    )
    try:
        return packages.with_libraries((kernel, *contents.PACKAGES, *python))
    except InfrastructureError as unknown:
        raise CapabilityMissing(
            f"the Intel appliance cannot be made: {unknown.problem}",
            remedy="run apt-get update as root; apt must know the packages " + ", ".join(contents.PACKAGES),
        ) from unknown


def _python_packages(depends: str) -> tuple[str, ...]:
    """Return the interpreter and its library from what apt says that python3-minimal needs."""
    needed = packages.dependencies(depends).get("python3-minimal", set())
    for name in sorted(needed):
        if name.startswith("python3.") and name.endswith("-minimal"):
            return name, f"lib{name.removesuffix('-minimal')}-stdlib"
    raise InfrastructureError("apt knows no Python for the appliance", remedy="run apt-get update as root")


def _older(home: Path, why: InfrastructureError, say: Say) -> ApplianceImage:
    for manifest in _manifests(home):
        if json.loads(manifest.read_text())["recipe"] == recipe_digest():
            say(f"the appliance is used as it was made before; a newer one cannot be made: {why.problem}")
            return _load(manifest.parent)
    raise why


def _manifests(home: Path) -> list[Path]:
    return sorted(home.glob("*/manifest.json"), key=lambda file: file.stat().st_mtime, reverse=True)


def _sweep(home: Path, keep: Path) -> None:
    for manifest in _manifests(home)[_KEPT:]:
        if manifest.parent != keep:
            shutil.rmtree(manifest.parent)


def _load(folder: Path) -> ApplianceImage:
    manifest = json.loads((folder / "manifest.json").read_text())
    return ApplianceImage(folder, manifest["release"], manifest["packages"])


def _make(home: Path, digest: str, versions: Mapping[str, str], say: Say) -> None:
    say(f"making the Intel appliance (Bochs {_upstream(versions['bochs'])}) from {len(versions)} packages")
    with tempfile.TemporaryDirectory(dir=home, prefix=".making-") as name:
        scratch, image = Path(name), Path(name) / "image"
        image.mkdir()
        packages.fetch(versions, scratch)
        root = scratch / "root"
        _write_bochs(root, image)
        release = _write_disc(root, scratch / "cd", image / "boot.iso")
        manifest = {"recipe": recipe_digest(), "release": release, "packages": dict(versions)}
        (image / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
        image.chmod(0o755)
        image.rename(home / digest)


def _write_bochs(root: Path, image: Path) -> None:
    """Put Bochs, its plugins and every library that they load into the image's folder."""
    program = root / "usr/bin/bochs-bin"
    if not program.is_file():  # where the package has no wrapper of that name
        program = root / "usr/bin/bochs"
    plugins = image / "plugins"
    # Several names lead to one file by links, and a plugin is looked for by each of them.
    shutil.copytree(root / contents.PLUGINS, plugins, symlinks=True)
    shutil.copy2(program, image / "bochs")
    for source, name in contents.FIRMWARE.items():
        shutil.copy2(root / source, image / name)
    terminal = root / contents.PLUGINS / "libbx_term_gui.so"
    _place(initramfs.libraries(root, [program, terminal]), image)


def _place(entries: Iterable[Entry], folder: Path) -> None:
    for entry in entries:
        file = folder / entry.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(entry.content)
        file.chmod(stat.S_IMODE(entry.mode))


def _write_disc(root: Path, disc: Path, to: Path) -> str:
    """Write the boot CD; return the kernel's release."""
    (packed,) = (root / "boot").glob("vmlinuz-*")
    release = packed.name.removeprefix("vmlinuz-")
    tree = next(at for at in (root / "lib", root / "usr/lib") if (at / "modules" / release).is_dir())
    chosen = [
        modules.Module(one.name, unsigned(one.content), one.depends, one.aliases)
        for one in modules.select(tree / "modules" / release, contents.DRIVERS, root)
    ]
    entries = [*_userland(root), *initramfs.module_files(chosen, release)]
    boot = disc / "isolinux"
    boot.mkdir(parents=True)
    shutil.copy2(packed, boot / "linux")
    (boot / "initrd").write_bytes(initramfs.archive([*entries, *initramfs.folders(entries)]))
    (boot / "isolinux.cfg").write_text(boot_menu())
    for name in contents.BOOT_LOADER:
        shutil.copy2(root / name, boot)
    writer = [*_with_libraries_of(root), root / "usr/bin/xorriso", "-as", "mkisofs", "-quiet"]
    shape = ["-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"]
    start = ["-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat"]
    run([*writer, "-o", to, *start, *shape, disc], timeout=120)
    return release


def boot_menu() -> str:
    """Return isolinux's configuration: one entry, started at once."""
    words = " ".join(contents.KERNEL_ARGUMENTS)
    return f"DEFAULT tdlab\nPROMPT 0\nLABEL tdlab\n KERNEL linux\n INITRD initrd\n APPEND {words}\n"


def _userland(root: Path) -> list[Entry]:
    """Return busybox, Python with the modules it may use, the agent, and what starts it."""
    busybox = next(file for file in (root / "usr/bin/busybox", root / "bin/busybox") if file.is_file())
    python = next(file for file in sorted((root / "usr/bin").glob("python3.*")) if file.is_file())
    standard = [root / name for name in _standard_library(root, python)]
    extensions = [file for file in standard if file.suffix == ".so"]
    scripts = {"init": _EXECUTABLE, "agent.py": _PLAIN}
    return [
        Entry("bin/busybox", _EXECUTABLE, busybox.read_bytes()),
        *(Entry(f"bin/{name}", _LINK, b"busybox") for name in _APPLETS),
        Entry("usr/bin/python3", _EXECUTABLE, python.read_bytes()),
        Entry("bin/python3", _LINK, b"/usr/bin/python3"),
        *(Entry(str(file.relative_to(root)), _PLAIN, file.read_bytes()) for file in standard),
        *initramfs.libraries(root, [python, *extensions]),
        *(Entry(name, mode, (contents.HERE / name).read_bytes()) for name, mode in scripts.items()),
        Entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)),
    ]


def _standard_library(root: Path, python: Path) -> list[str]:
    """Return the modules that the agent imports, compiled by the appliance's own Python."""
    words = [*_with_libraries_of(root), python, "-S", Path(library.__file__), root]
    home = {"PYTHONHOME": f"{root}/usr", "PYTHONHASHSEED": "0"}
    return run([*words, *contents.LIBRARY], timeout=120, env=home).stdout.split()


def _with_libraries_of(root: Path) -> list[str | Path]:
    """Return the words before an unpacked program that let it run here with the unpacked libraries."""
    places = [root / place / "x86_64-linux-gnu" for place in ("lib", "usr/lib")]
    loader = next(file for place in places if (file := place / Path(_LOADER).name).is_file())
    return [loader, "--library-path", ":".join(map(str, places))]
