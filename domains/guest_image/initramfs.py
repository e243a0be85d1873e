"""Write the initramfs: the same contents give the same bytes, whoever builds it and wherever."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from domains.errors import InfrastructureError
from domains.guest_image import contents, modules
from domains.process import run

_LOADER = Path("lib64/ld-linux-x86-64.so.2")


@dataclass(frozen=True)
class Entry:
    """One file of the archive: path, mode with its type, content (of a link: its target), device numbers."""

    path: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def archive(entries: Iterable[Entry]) -> bytes:
    """Return a cpio archive in "newc" format (Documentation/driver-api/early-userspace of Linux).

    Written here and not by cpio(1) because a device node needs no root this way, and because order, owners,
    inode numbers and times are then fixed: owner root, time 0, sorted by path.
    """
    rows = sorted(entries, key=lambda one: one.path)
    parts = [_record(number, entry) for number, entry in enumerate(rows, 1)]
    return b"".join(parts) + _record(0, Entry("TRAILER!!!", 0))


def _record(number: int, entry: Entry) -> bytes:
    name = entry.path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (number, entry.mode, 0, 0, links, 0, len(entry.content), 0, 0, *entry.device, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % value for value in fields) + name
    return _padded(header) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def collect(packages: Path, chosen: list[modules.Module], release: str) -> list[Entry]:
    """Return everything that the guest holds; ``packages`` is the folder they were unpacked into."""
    found = {where: _program(packages, where) for where in contents.PROGRAMS}
    entries = [Entry(path, stat.S_IFREG | 0o755, file.read_bytes()) for path, file in found.items()]
    entries += applets(found["bin/busybox"])
    entries += libraries(packages, [found["bin/iperf3"], found["bin/qemu-ga"]])
    entries += [Entry(to, stat.S_IFREG | 0o755, file.read_bytes()) for to, file in contents.SCRIPTS.items()]
    entries += [Entry(to, stat.S_IFREG | 0o644, text.encode()) for to, text in contents.TEXTS.items()]
    entries += [Entry(to, stat.S_IFLNK | 0o777, goal.encode()) for to, goal in contents.LINKS.items()]
    entries += module_files(chosen, release)
    # The kernel opens /dev/console before init can mount anything there.
    entries.append(Entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)))
    return entries + folders(entries)


def _program(packages: Path, where: str) -> Path:
    for place in contents.PROGRAMS[where]:
        if (packages / place).is_file():
            return packages / place
    raise InfrastructureError(f"the packages hold no {' nor '.join(contents.PROGRAMS[where])}")


def applets(busybox: Path) -> list[Entry]:
    """Return a link for every command of busybox that the guest has no program of its own for."""
    names = run([busybox, "--list"], timeout=10).stdout.split()
    own = {Path(path).name for path in (*contents.PROGRAMS, *contents.SCRIPTS)}
    return [
        Entry(f"bin/{name}", stat.S_IFLNK | 0o777, b"busybox")
        for name in names
        if name not in own and name != "busybox"
    ]


def libraries(packages: Path, programs: list[Path]) -> list[Entry]:
    """Return the shared libraries, each under the name that its users ask for."""
    places = [packages / place / "x86_64-linux-gnu" for place in ("lib", "usr/lib")]
    # Where Debian keeps it; /lib64 holds only a link, with an absolute target in Debian 12.
    loader = next(place / _LOADER.name for place in places if (place / _LOADER.name).exists())
    search = ":".join(str(place) for place in places)
    needed: dict[str, Path] = {}
    for program in programs:
        # The packages' own loader says what it would load: no need for a second reader of ELF.
        listed = run([loader, "--library-path", search, "--list", program], timeout=20).stdout
        for line in listed.splitlines():
            name, arrow, rest = line.strip().partition(" => ")
            if arrow:
                needed[Path(name).name] = _own(Path(rest.rpartition(" (")[0]), packages, program)
    needed.pop(_LOADER.name, None)
    entries = [
        Entry(f"lib/x86_64-linux-gnu/{name}", stat.S_IFREG | 0o755, file.read_bytes())
        for name, file in needed.items()
    ]
    return [*entries, Entry(str(_LOADER), stat.S_IFREG | 0o755, loader.read_bytes())]


def _own(library: Path, packages: Path, program: Path) -> Path:
    """Refuse a library of this machine: the image must not depend on where it is built."""
    if library.name == _LOADER.name or packages.resolve() in library.resolve().parents:
        return library
    raise InfrastructureError(f"{program.name} needs {library}, which is in none of the guest's packages")


def module_files(chosen: list[modules.Module], release: str) -> list[Entry]:
    """Return the modules and the indexes that modprobe reads."""
    folder = f"lib/modules/{release}"
    texts = {
        "modules.dep": modules.dependency_index(chosen),
        "modules.alias": modules.alias_index(chosen),
    }
    return [
        *(Entry(f"{folder}/{one.name}.ko", stat.S_IFREG | 0o644, one.content) for one in chosen),
        *(Entry(f"{folder}/{name}", stat.S_IFREG | 0o644, text.encode()) for name, text in texts.items()),
    ]


def folders(entries: list[Entry]) -> list[Entry]:
    """Return an entry for every folder: the kernel makes none by itself, and wants each before its files."""
    paths = {str(parent) for entry in entries for parent in Path(entry.path).parents} - {"."}
    return [Entry(path, stat.S_IFDIR | 0o755) for path in paths | set(contents.FOLDERS)]
