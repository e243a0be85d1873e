"""Unpack a distribution's kernel, so that the guest does not spend its boot doing it.

A bzImage carries the real kernel compressed; under emulation its unpacking costs seconds. QEMU starts the
kernel inside directly when it has a PVH entry point (an ELF note), which Debian's and Ubuntu's kernels have.
"""

from __future__ import annotations

import gzip
import lzma
import struct
from pathlib import Path

from domains.errors import InfrastructureError
from domains.process import run

# Offsets of the x86 boot protocol (Documentation/arch/x86/boot.rst of Linux).
_SETUP_SECTORS = 0x1F1
_PAYLOAD = 0x248
_SECTOR = 512

_XZ, _GZIP, _ZSTD = b"\xfd7zXZ\0", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_PT_LOAD, _PT_NOTE = 1, 4


def unpack(bzimage: Path, to: Path) -> None:
    """Write the ELF kernel inside ``bzimage`` to ``to``, without what no loader reads.

    Raises :class:`InfrastructureError` when the file is no bzImage or is compressed in an unknown way.
    """
    to.write_bytes(trimmed(_decompressed(payload(bzimage.read_bytes(), bzimage), to)))


def payload(image: bytes, name: Path) -> bytes:
    """Return the compressed kernel of a bzImage."""
    if image[0x202:0x206] != b"HdrS":
        raise InfrastructureError(f"{name} is not a bzImage: it has no boot protocol header")
    sectors = image[_SETUP_SECTORS] or 4
    offset, length = struct.unpack_from("<II", image, _PAYLOAD)
    start = (sectors + 1) * _SECTOR + offset
    return image[start : start + length]


def _decompressed(packed: bytes, beside: Path) -> bytes:
    if packed.startswith(_XZ):
        # The payload ends with the unpacked size, which is no part of the xz stream: a decompressor object
        # stops at the stream's end, lzma.decompress() would refuse what follows.
        return lzma.LZMADecompressor().decompress(packed)
    if packed.startswith(_GZIP):
        return gzip.decompress(packed[:-4])
    if packed.startswith(_ZSTD):
        return unzstd(packed[:-4], beside)
    raise InfrastructureError(
        f"the kernel is compressed in an unknown way (it begins with {packed[:4].hex()})",
        remedy="known are xz, gzip and zstd",
    )


def unzstd(packed: bytes, beside: Path) -> bytes:
    """Unpack zstd by its program (Python before 3.14 has no module); needs room beside ``beside``."""
    source, target = beside.with_suffix(".packed"), beside.with_suffix(".unpacked")
    source.write_bytes(packed)
    run(["zstd", "--decompress", "--quiet", "--force", "-o", target, source], timeout=120)
    unpacked = target.read_bytes()
    source.unlink()
    target.unlink()
    return unpacked


def trimmed(elf: bytes) -> bytes:
    """Cut what no loader of QEMU reads: what follows the last loaded segment, and the zeros at its end.

    Those zeros are the kernel's .bss and .brk, which are zero in a machine that has just started: more than a
    third of the file, which an emulated host would copy at each start of a guest.
    """
    header = list(_ELF_HEADER.unpack_from(elf))
    if header[0][:5] != b"\x7fELF\x02":
        raise InfrastructureError("the unpacked kernel is not a 64-bit ELF file")
    offset, size, count = header[5], header[9], header[10]
    end, last = 0, offset
    for place in range(offset, offset + count * size, size):
        kind, _, start, _, _, length, _, _ = _PROGRAM_HEADER.unpack_from(elf, place)
        if kind in (_PT_LOAD, _PT_NOTE) and start + length > end:
            end, last = start + length, place
    header[6] = header[12] = header[13] = 0  # no section headers any more
    segment = list(_PROGRAM_HEADER.unpack_from(elf, last))
    if segment[0] == _PT_LOAD:
        segment[5] = len(elf[segment[2] : end].rstrip(b"\0"))
        end = segment[2] + segment[5]
    whole = bytearray(elf[:end])
    _ELF_HEADER.pack_into(whole, 0, *header)
    _PROGRAM_HEADER.pack_into(whole, last, *segment)
    return bytes(whole)
