"""Kernel modules: which files a list of drivers needs, and the indexes that modprobe reads."""

from __future__ import annotations

import lzma
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from domains.errors import InfrastructureError
from domains.guest_image.kernel import unzstd


@dataclass(frozen=True)
class Module:
    """One kernel module, unpacked: its name, its bytes, what it needs and the devices that it serves."""

    name: str
    content: bytes
    depends: tuple[str, ...]
    aliases: tuple[str, ...]


def select(root: Path, drivers: Iterable[str], scratch: Path) -> list[Module]:
    """Return the modules of ``drivers`` and of all that they need, by name; built-in ones need no file.

    ``root`` is the folder ``lib/modules/RELEASE``. Raises :class:`InfrastructureError` when a driver is
    neither there nor built in: a guest that lacks a NIC's driver must not be made.
    """
    files = {_plain(file.name.split(".ko")[0]): file for file in root.rglob("*.ko*")}
    built_in = {_plain(Path(line).stem) for line in (root / "modules.builtin").read_text().split()}
    chosen: dict[str, Module] = {}
    waiting = [_plain(driver) for driver in drivers]
    while waiting:
        name = waiting.pop()
        if name in chosen or name in built_in:
            continue
        if name not in files:
            raise InfrastructureError(
                f"the kernel {root.name} has no module {name}",
                remedy="take the distribution's full kernel, not its cloud or minimal one",
            )
        module = parse(name, _unpacked(files[name], scratch))
        chosen[name] = module
        waiting.extend(module.depends)
    return [chosen[name] for name in sorted(chosen)]


def parse(name: str, content: bytes) -> Module:
    """Read dependencies and aliases from a module's ``.modinfo`` section."""
    fields = [item.decode().partition("=") for item in _section(content, b".modinfo").split(b"\0") if item]
    depends = [one for key, _, value in fields if key == "depends" for one in value.split(",") if one]
    aliases = tuple(value for key, _, value in fields if key == "alias")
    return Module(name, content, tuple(_plain(one) for one in depends), aliases)


def dependency_index(modules: Iterable[Module]) -> str:
    """Return ``modules.dep``: every module's file, and the files to load before it, the deepest last."""
    known = {module.name: module for module in modules}
    lines = []
    for name in sorted(known):
        order: list[str] = []
        _visit(name, known, order)
        lines.append(f"{name}.ko: {' '.join(f'{one}.ko' for one in reversed(order[:-1]))}".rstrip())
    return "\n".join(lines) + "\n"


def alias_index(modules: Iterable[Module]) -> str:
    """Return ``modules.alias``: which module serves a device with this modalias."""
    return "".join(
        f"alias {alias} {module.name}\n"
        for module in sorted(modules, key=lambda one: one.name)
        for alias in module.aliases
    )


def _visit(name: str, known: dict[str, Module], order: list[str]) -> None:
    if name in order or name not in known:
        return
    for need in known[name].depends:
        _visit(need, known, order)
    order.append(name)


def _plain(name: str) -> str:
    """Modules are spelt with - or _ alike; the kernel itself uses _."""
    return name.replace("-", "_")


def _unpacked(file: Path, scratch: Path) -> bytes:
    content = file.read_bytes()
    if file.suffix == ".xz":
        return lzma.decompress(content)
    if file.suffix == ".zst":
        return unzstd(content, scratch / file.name)
    return content


def _section(elf: bytes, wanted: bytes) -> bytes:
    """Return the bytes of one section of a 64-bit little-endian ELF file."""
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", elf, table + number * size) for number in range(count)]
    strings = headers[names][4]
    for name, _, _, _, offset, length in headers:
        begin = strings + name
        if elf[begin : elf.index(b"\0", begin)] == wanted:
            return elf[offset : offset + length]
    raise InfrastructureError(f"a kernel module has no section {wanted.decode()}")
