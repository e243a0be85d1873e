"""What makes one emulated host differ from the next: name, address and keys, on a disk that is an archive."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass

_SECTOR = 512


@dataclass(frozen=True)
class Identity:
    """Who a host is: its address with prefix and gateway on the NIC with this MAC, and its SSH keys."""

    hostname: str
    mac: str
    address: str  # 10.211.7.2/24
    gateway: str
    authorized_key: str
    host_key: str
    host_public_key: str


def archive(identity: Identity) -> bytes:
    """Return the disk: a tar archive of files below /, a whole number of sectors long."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, (text, mode) in files(identity).items():
            entry = tarfile.TarInfo(name)
            data = text.encode()
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
    whole = buffer.getvalue()
    return whole + b"\0" * (-len(whole) % _SECTOR)


def files(identity: Identity) -> dict[str, tuple[str, int]]:
    """Return text and permissions of each file by its name below /."""
    network = (
        f"[Match]\nMACAddress={identity.mac}\n\n"
        f"[Network]\nAddress={identity.address}\nGateway={identity.gateway}\n"
        "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )
    return {
        "etc/hostname": (f"{identity.hostname}\n", 0o644),
        "etc/hosts": (f"127.0.0.1 localhost\n127.0.1.1 {identity.hostname}\n", 0o644),
        "etc/systemd/network/10-tdlab.network": (network, 0o644),
        "etc/ssh/ssh_host_ed25519_key": (identity.host_key, 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (f"{identity.host_public_key}\n", 0o644),
        "root/.ssh/authorized_keys": (f"{identity.authorized_key}\n", 0o600),
    }
