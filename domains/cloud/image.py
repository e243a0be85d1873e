"""Boot an ordinary cloud image (cloud-init, NoCloud) as a guest: no network, no password, nothing installed.

The image itself is never written to: a guest runs on an overlay. What differs from guest to guest (address,
keys) is on a small second disk labelled ``cidata``, which cloud-init reads at its first start. The tools that
measure are on that disk too, and run from there: the guest's network leads to its host only.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from domains.errors import InfrastructureError, ProcessError, UsageError
from domains.process import run

_FORMATS = ("qcow2", "raw")
_SECONDS = 120.0
SEED_LABEL = "cidata"
# Where the guest has the seed's disk, and with it the tools.
MOUNTED = "/run/tdlab"


@dataclass(frozen=True)
class CloudImage:
    """A disk image that may be used: its format, its size as the guest sees it in bytes, its SHA-256."""

    file: Path
    format: Literal["qcow2", "raw"]
    size: int
    digest: str

    @property
    def label(self) -> str:
        """What a report calls it: a name for people, and enough of the digest to tell it from others."""
        return f"{self.file.name} sha256:{self.digest[:16]}"


@dataclass(frozen=True)
class KeyPair:
    """An SSH key made for one run: the private key's file, and the public key as OpenSSH writes it."""

    private: Path
    public: str


@dataclass(frozen=True)
class Seed:
    """What cloud-init is told: who the guest is, the address of its NIC with this MAC, and who may log in.

    ``tools`` is a folder that goes onto the disk as it is; its script ``start`` runs when all else is done.
    """

    instance: str
    mac: str
    address: str  # with its prefix length, as 10.1.2.3/24
    public_key: str
    host_key: KeyPair
    tools: Path


def inspect(file: Path) -> CloudImage:
    """Look at a disk image before anything opens it as a disk.

    Raises :class:`UsageError` when it is not one, or when it names further files: a qcow2 file may point to
    any file of the host, which the guest could then read.
    """
    if not file.is_file():
        raise UsageError(f"{file} does not exist", remedy="download a cloud image first: tdlab fetches none")
    try:
        told = run(["qemu-img", "info", "--output=json", file], timeout=_SECONDS).stdout
    except ProcessError as refused:
        raise UsageError(f"{file} is no disk image: {refused.stderr.strip()}") from refused
    facts: dict[str, Any] = json.loads(told)
    if facts["format"] not in _FORMATS:
        raise UsageError(
            f"{file} has the format {facts['format']}",
            remedy=f"convert it: qemu-img convert -O qcow2 {file.name} NEW.qcow2",
        )
    specific = facts.get("format-specific", {}).get("data", {})
    if "backing-filename" in facts or "data-file" in specific:
        raise UsageError(
            f"{file} needs another file beside it ({facts.get('backing-filename') or specific['data-file']})",
            remedy=f"make it stand alone: qemu-img convert -O qcow2 {file.name} NEW.qcow2",
        )
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return CloudImage(file.resolve(), facts["format"], int(facts["virtual-size"]), digest)


def key_pair(folder: Path, name: str = "id_ed25519") -> KeyPair:
    """Make an SSH key without a passphrase for one run; it lives and dies with the run's folder."""
    private = folder / name
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tdlab", "-f", private], timeout=_SECONDS)
    return KeyPair(private, private.with_suffix(".pub").read_text().strip())


def seed_iso(seed: Seed, to: Path) -> Path:
    """Write the disk that cloud-init looks for: an ISO 9660 volume with three files, and the tools."""
    folder = to.with_suffix(".seed")
    folder.mkdir(parents=True)
    try:
        for name, content in seed_files(seed).items():
            (folder / name).write_text(content)
        words = [
            "xorriso",
            "-as",
            "mkisofs",
            "-quiet",
            "-volid",
            SEED_LABEL,
            "-rational-rock",
            "-graft-points",
        ]
        run([*words, "-output", str(to), f"/={folder}", f"/tools={seed.tools}"], timeout=_SECONDS)
    finally:
        shutil.rmtree(folder)
    if not to.is_file():
        raise InfrastructureError(f"xorriso wrote no {to}")
    return to


def seed_files(seed: Seed) -> dict[str, str]:
    """Return the seed's files by name. They are JSON, which is YAML too and quotes every text safely."""
    address = ipaddress.ip_interface(seed.address)
    meta = {"instance-id": seed.instance, "local-hostname": "tdlab-guest"}
    nic = {
        "match": {"macaddress": seed.mac.lower()},
        "set-name": "eth0",
        "dhcp4": False,
        "dhcp6": False,
        "accept-ra": False,
        "addresses": [str(address)],
    }
    return {
        "meta-data": json.dumps(meta) + "\n",
        "network-config": json.dumps({"version": 2, "ethernets": {"first": nic}}) + "\n",
        "user-data": f"#cloud-config\n{json.dumps(_user_data(seed))}\n",
    }


def _user_data(seed: Seed) -> dict[str, Any]:
    # Mounted, not copied: /run often refuses to execute, and nothing else is sure to be writable and unused.
    start = (
        f"mkdir -p {MOUNTED} && mount -o ro /dev/disk/by-label/{SEED_LABEL} {MOUNTED} && "
        f"exec sh {MOUNTED}/tools/start"
    )
    return {
        "disable_root": False,
        "ssh_pwauth": False,
        "users": [{"name": "root", "lock_passwd": True, "ssh_authorized_keys": [seed.public_key]}],
        # A host key known beforehand: no trust on first use, and no seconds lost in making others.
        "ssh_deletekeys": True,
        "ssh_keys": {
            "ed25519_private": seed.host_key.private.read_text(),
            "ed25519_public": seed.host_key.public,
        },
        # Nothing is fetched: the guest's network leads to its host only, every attempt would wait in vain.
        "package_update": False,
        "package_upgrade": False,
        "ntp": {"enabled": False},
        "locale": False,  # generating one takes seconds
        "runcmd": [["sh", "-c", start]],
    }
