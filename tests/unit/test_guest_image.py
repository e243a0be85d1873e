"""The making of the guest's kernel and initramfs, from bytes to bytes."""

from __future__ import annotations

import gzip
import lzma
import stat
import struct
from pathlib import Path

import pytest

from domains.errors import CapabilityMissing, InfrastructureError
from domains.guest_image import contents, kernel, modules, packages
from domains.guest_image.initramfs import Entry, archive
from domains.guest_image.modules import Module
from domains.process import run

ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")


def elf_kernel(code: bytes, behind: bytes) -> bytes:
    """A 64-bit ELF file with one loaded segment, and something behind it."""
    start = 64 + 56
    header = (b"\x7fELF\x02\x01\x01", 2, 62, 1, 0x1000000, 64, start + len(code), 0, 64, 56, 1, 64, 3, 2)
    segment = struct.pack("<IIQQQQQQ", 1, 5, start, 0, 0x1000000, len(code), len(code), 4096)
    return ELF_HEADER.pack(*header) + segment + code + behind


def bzimage(packed: bytes) -> bytes:
    """A boot sector, one sector of set-up code, and the payload 16 bytes into what follows."""
    image = bytearray(3 * 512)
    image[0x1F1] = 1
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<II", image, 0x248, 16, len(packed))
    return bytes(image[:1024]) + bytes(16) + packed + b"what follows the payload"


def elf_module(*fields: str) -> bytes:
    """A 64-bit ELF file whose only content is a .modinfo section."""
    info = b"".join(field.encode() + b"\0" for field in fields)
    names = b"\0.modinfo\0.shstrtab\0"
    table = 64 + len(info) + len(names)
    header = ELF_HEADER.pack(b"\x7fELF\x02\x01\x01", 1, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, 3, 2)
    sections = bytes(64)
    for name, offset, length in ((1, 64, len(info)), (10, 64 + len(info), len(names))):
        sections += struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, offset, length, 0, 0, 1, 0)
    return header + info + names + sections


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress], ids=["xz", "gzip"])
def test_that_the_kernel_inside_a_bzimage_is_found(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    inside = elf_kernel(b"code" * 99, b"relocations")
    packed = pack(inside) + struct.pack("<I", len(inside))  # the boot protocol appends the unpacked size
    (tmp_path / "vmlinuz").write_bytes(bzimage(packed))
    kernel.unpack(tmp_path / "vmlinuz", tmp_path / "vmlinux")
    assert (tmp_path / "vmlinux").read_bytes()[64:] == elf_kernel(b"code" * 99, b"")[64:]


def test_that_a_zstd_kernel_is_unpacked_and_leaves_no_scratch_files(tmp_path: Path) -> None:
    inside = elf_kernel(b"code" * 99, b"")
    (tmp_path / "plain").write_bytes(inside)
    run(["zstd", "--quiet", tmp_path / "plain", "-o", tmp_path / "packed"], timeout=20)
    packed = (tmp_path / "packed").read_bytes() + struct.pack("<I", len(inside))
    folder = tmp_path / "image"
    folder.mkdir()
    (tmp_path / "vmlinuz").write_bytes(bzimage(packed))
    kernel.unpack(tmp_path / "vmlinuz", folder / "vmlinux")
    assert [file.name for file in folder.iterdir()] == ["vmlinux"]


def test_that_trimming_drops_sections_and_keeps_segments() -> None:
    fields = ELF_HEADER.unpack_from(kernel.trimmed(elf_kernel(b"code", b"sections")))
    assert (fields[6], fields[12], fields[13]) == (0, 0, 0)
    assert kernel.trimmed(elf_kernel(b"code", b"sections")).endswith(b"code")


def test_that_trimming_drops_the_zeros_that_memory_has_by_itself() -> None:
    whole = kernel.trimmed(elf_kernel(b"code" + bytes(8192), b"sections"))
    assert whole.endswith(b"code")
    in_file, in_memory = struct.unpack_from("<QQ", whole, 64 + 32)
    assert (in_file, in_memory) == (4, 4 + 8192)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\0" * 2048, "not a bzImage"),
        (bzimage(b"LZO?"), "unknown way"),
        (bzimage(lzma.compress(b"x" * 99)), "ELF"),
    ],
)
def test_that_another_file_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(content)
    with pytest.raises(InfrastructureError, match=says):
        kernel.unpack(tmp_path / "vmlinuz", tmp_path / "vmlinux")


def test_that_a_module_says_what_it_needs_and_serves() -> None:
    read = modules.parse(
        "e100", elf_module("license=GPL", "depends=mii,i2c-core", "alias=pci:v1*", "alias=pci:v2*")
    )
    assert read.depends == ("mii", "i2c_core")
    assert read.aliases == ("pci:v1*", "pci:v2*")


def test_that_modules_bring_what_they_need_and_built_in_ones_need_no_file(tmp_path: Path) -> None:
    root = tmp_path / "6.1.0"
    (root / "kernel").mkdir(parents=True)
    (root / "modules.builtin").write_text("kernel/drivers/virtio/virtio.ko\n")
    (root / "kernel/virtio-net.ko.xz").write_bytes(lzma.compress(elf_module("depends=failover,virtio")))
    (root / "kernel/failover.ko").write_bytes(elf_module("depends="))
    (root / "kernel/unwanted.ko").write_bytes(b"")
    chosen = modules.select(root, ["virtio_net"], tmp_path)
    assert [module.name for module in chosen] == ["failover", "virtio_net"]
    assert chosen[1].content.startswith(b"\x7fELF")


def test_that_a_missing_driver_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "modules.builtin").write_text("")
    with pytest.raises(InfrastructureError, match="no module e1000"):
        modules.select(tmp_path, ["e1000"], tmp_path)


def test_that_the_indexes_name_every_need_after_its_user() -> None:
    chosen = [
        Module("libata", b"", ("scsi_mod",), ()),
        Module("ahci", b"", ("libahci",), ("pci:v8086*",)),
        Module("libahci", b"", ("libata",), ()),
        Module("scsi_mod", b"", (), ()),
    ]
    assert modules.dependency_index(chosen).splitlines() == [
        "ahci.ko: libahci.ko libata.ko scsi_mod.ko",
        "libahci.ko: libata.ko scsi_mod.ko",
        "libata.ko: scsi_mod.ko",
        "scsi_mod.ko:",
    ]
    assert modules.alias_index(chosen) == "alias pci:v8086* ahci\n"


def test_that_the_archive_does_not_depend_on_the_order_of_its_entries() -> None:
    entries = [Entry("b", stat.S_IFREG | 0o644, b"two"), Entry("a", stat.S_IFDIR | 0o755)]
    assert archive(entries) == archive(reversed(entries))


def test_that_cpio_reads_the_archive(tmp_path: Path) -> None:
    entries = [
        Entry("dir", stat.S_IFDIR | 0o755),
        Entry("dir/odd", stat.S_IFREG | 0o755, b"12345"),
        Entry("link", stat.S_IFLNK | 0o777, b"dir/odd"),
        Entry("null", stat.S_IFCHR | 0o600, b"", (1, 3)),
    ]
    (tmp_path / "it.cpio").write_bytes(archive(entries))
    words = ["cpio", "--list", "--verbose", "--numeric-uid-gid", "--quiet", "-F", tmp_path / "it.cpio"]
    lines = [" ".join(line.split()) for line in run(words, timeout=20, env={"TZ": "UTC"}).stdout.splitlines()]
    assert lines == [
        "drwxr-xr-x 2 0 0 0 Jan 1 1970 dir",
        "-rwxr-xr-x 1 0 0 5 Jan 1 1970 dir/odd",
        "lrwxrwxrwx 1 0 0 7 Jan 1 1970 link -> dir/odd",
        "crw------- 1 0 0 1, 3 Jan 1 1970 null",
    ]


DEPENDS = """\
iperf3
  Depends: libiperf0
 |Depends: debconf
  Depends: <debconf-2.0>
    cdebconf
libiperf0
  Depends: libc6
  PreDepends: libssl3:amd64
debconf
  Depends: perl
libc6
<debconf-2.0>
"""


def test_that_only_libraries_and_parts_of_the_kernel_are_followed() -> None:
    graph = packages.dependencies(DEPENDS)
    assert graph["iperf3"] == {"libiperf0", "debconf", "<debconf-2.0>"}
    assert packages.closure(("iperf3",), graph) == ["iperf3", "libc6", "libiperf0", "libssl3"]


def test_that_candidates_are_read_and_absent_ones_left_out() -> None:
    policy = (
        "iperf3:\n  Installed: (none)\n  Candidate: 3.12-1\n  Version table:\nghost:\n  Candidate: (none)\n"
    )
    assert packages.versions(policy) == {"iperf3": "3.12-1"}


def test_that_a_derivative_uses_the_kernel_of_its_parent() -> None:
    assert contents.kernel_package("debian") == "linux-image-amd64"
    assert contents.kernel_package("linuxmint", "ubuntu debian") == "linux-image-generic"
    with pytest.raises(CapabilityMissing, match="fedora"):
        contents.kernel_package("fedora", "rhel")
