"""Hostile answers, domains and archives, after the list of what a student can try."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable

_BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [" % (letter, letter) + b", ".join([b"*%c" % (letter - 1)] * 9) + b"]\n"
    for letter in range(ord("b"), ord("j"))
)
YAMLS: list[bytes] = [
    b"lab: r202\nanswers: !!python/object/apply:os.system ['touch /tmp/escaped']\n",
    _BOMB,
    b"lab: r202\nanswers:\n  1.3: " + b"[" * 20_000 + b"]" * 20_000,
    b"lab: r202\nlab: r202\nanswers: {}\n",
    b"lab: r202\nanswers:\n  1.3: lent\x00\n",
    b"\xef\xbb\xbflab: r202\nanswers: {}\n",
    b"lab: r202\nanswers:\n  1.3: \xff\xfe\n",
    "lab: r202\nanswers:\n  1.3: lent \u202e dessap\n".encode(),
    b"lab: r202\nanswers:\n  1.3: " + b"lent " * 20_000,
    b'lab: r202\nanswers:\n  1.3: "\\x1b[2J"\n',
]

_DOMAIN = "<domain type='kvm'><name>web</name><memory unit='MiB'>512</memory>{}<devices>{}</devices></domain>"
_NIC = "<interface type='network'><source network='default'/><model type='virtio'/></interface>"
DOMAINS: list[str] = [
    "<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
    + _DOMAIN.format("<title>&x;</title>", _NIC),
    _DOMAIN.format("", f"<emulator>/home/eve/x.sh</emulator>{_NIC}"),
    _DOMAIN.format("<os><type>hvm</type><kernel>/etc/shadow</kernel></os>", _NIC),
    "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>web</name>"
    f"<devices>{_NIC}</devices><qemu:commandline><qemu:arg value='-S'/></qemu:commandline></domain>",
    _DOMAIN.format("", f"<disk type='block'><source dev='/dev/sda'/><target dev='vda'/></disk>{_NIC}"),
    _DOMAIN.format("", f"<filesystem type='mount'><source dir='/'/><target dir='x'/></filesystem>{_NIC}"),
    _DOMAIN.format("", f"<serial type='file'><source path='/etc/cron.d/x'/></serial>{_NIC}"),
    "<domain>" * 3000 + "</domain>" * 3000,
    "not XML at all",
]


def special(name: str, kind: int) -> zipfile.ZipInfo:
    """Return a member that is a link or a device."""
    member = zipfile.ZipInfo(name)
    member.external_attr = (kind | 0o777) << 16
    return member


def many(archive: zipfile.ZipFile) -> None:
    """Add more members than any submission needs."""
    for number in range(2500):
        archive.writestr(f"evidence/{number}", b"")


def bomb(archive: zipfile.ZipFile) -> None:
    """Add what unpacks to far too much."""
    archive.writestr("evidence/zeros", bytes(64 * 2**20))


ARCHIVES: list[Callable[[zipfile.ZipFile], None]] = [
    lambda archive: archive.writestr("../../escaped.yaml", b"x"),
    lambda archive: archive.writestr("/etc/escaped", b"x"),
    lambda archive: archive.writestr("a\\..\\..\\escaped", b"x"),
    lambda archive: archive.writestr(special("link", stat.S_IFLNK), b"/etc/passwd"),
    lambda archive: archive.writestr(special("pipe", stat.S_IFIFO), b""),
    lambda archive: archive.writestr(special("disk", stat.S_IFBLK), b""),
    lambda archive: archive.writestr("Answers.YAML", b"lab: r202\n"),
    many,
    bomb,
]
