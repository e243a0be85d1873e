"""Cloud images: what is refused before it is opened as a disk, and what cloud-init is told."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest
import yaml

from domains.cloud import image as cloud_image
from domains.cloud.image import Seed
from domains.errors import UsageError
from domains.process import run

MAC = "52:54:00:AA:BB:01"


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Seed:
    folder = tmp_path_factory.mktemp("seed")
    host_key = cloud_image.key_pair(folder, "host_key")
    (folder / "tools").mkdir()
    (folder / "tools" / "start").write_text("echo started\n")
    return Seed("tdlab-1", MAC, "10.208.1.10/24", "ssh-ed25519 AAAA tdlab", host_key, folder / "tools")


@pytest.fixture
def qcow2(tmp_path: Path) -> Path:
    run(["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "base.qcow2", "64M"], timeout=20)
    return tmp_path / "base.qcow2"


def test_that_a_qcow2_image_is_accepted(qcow2: Path) -> None:
    found = cloud_image.inspect(qcow2)
    assert (found.format, found.size, found.file) == ("qcow2", 64 << 20, qcow2)
    assert found.digest == hashlib.sha256(qcow2.read_bytes()).hexdigest()
    assert found.label == f"base.qcow2 sha256:{found.digest[:16]}"


def test_that_an_image_that_points_to_another_file_is_refused(qcow2: Path, tmp_path: Path) -> None:
    words = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", qcow2, "-F", "qcow2", tmp_path / "thin.qcow2"]
    run(words, timeout=20)
    with pytest.raises(UsageError, match=r"base\.qcow2") as refused:
        cloud_image.inspect(tmp_path / "thin.qcow2")
    assert refused.value.remedy is not None
    assert "qemu-img convert" in refused.value.remedy


def test_that_an_image_with_an_external_data_file_is_refused(tmp_path: Path) -> None:
    options = f"data_file={tmp_path / 'data.raw'}"
    words = ["qemu-img", "create", "-q", "-f", "qcow2", "-o", options, tmp_path / "split.qcow2", "1M"]
    run(words, timeout=20)
    with pytest.raises(UsageError, match=r"data\.raw"):
        cloud_image.inspect(tmp_path / "split.qcow2")


def test_that_other_formats_and_missing_files_are_refused(tmp_path: Path) -> None:
    run(["qemu-img", "create", "-q", "-f", "vmdk", tmp_path / "other.vmdk", "1M"], timeout=20)
    with pytest.raises(UsageError, match="format vmdk"):
        cloud_image.inspect(tmp_path / "other.vmdk")
    with pytest.raises(UsageError, match="does not exist"):
        cloud_image.inspect(tmp_path / "nothing.qcow2")


def test_that_cloud_init_is_told_the_address_and_the_keys(seed: Seed) -> None:
    files = cloud_image.seed_files(seed)
    nic = yaml.safe_load(files["network-config"])["ethernets"]["first"]
    assert nic["addresses"] == ["10.208.1.10/24"]
    assert nic["match"] == {"macaddress": "52:54:00:aa:bb:01"}
    assert nic["dhcp4"] is False
    user = yaml.safe_load(files["user-data"])
    assert files["user-data"].startswith("#cloud-config\n")
    assert user["users"][0]["ssh_authorized_keys"] == [seed.public_key]
    assert user["ssh_keys"]["ed25519_private"] == seed.host_key.private.read_text()
    assert user["ssh_keys"]["ed25519_public"] == seed.host_key.public
    assert user["ssh_pwauth"] is False
    assert yaml.safe_load(files["meta-data"])["instance-id"] == "tdlab-1"


def test_that_cloud_init_starts_the_tools_from_the_seed(seed: Seed) -> None:
    user = yaml.safe_load(cloud_image.seed_files(seed)["user-data"])
    [[shell, option, script]] = user["runcmd"]
    assert (shell, option) == ("sh", "-c")
    assert "mount -o ro /dev/disk/by-label/cidata /run/tdlab " in script
    assert script.endswith("exec sh /run/tdlab/tools/start")


def test_that_an_address_without_sense_is_refused(seed: Seed) -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.999"):
        cloud_image.seed_files(dataclasses.replace(seed, address="10.0.0.999/24"))


def test_that_the_seed_is_a_volume_named_cidata_that_holds_the_tools(seed: Seed, tmp_path: Path) -> None:
    made = cloud_image.seed_iso(seed, tmp_path / "seed.iso")
    # ISO 9660: the primary volume descriptor is sector 16; its volume identifier begins at byte 40.
    descriptor = made.read_bytes()[16 * 2048 : 17 * 2048]
    assert descriptor[1:6] == b"CD001"
    assert descriptor[40:72].rstrip() == b"cidata"
    assert [file.name for file in tmp_path.iterdir()] == ["seed.iso"]
    listed = run(["xorriso", "-indev", made, "-find", "/", "-type", "f"], timeout=20).stdout
    names = {line.strip().strip("'") for line in listed.splitlines()}
    assert {"/meta-data", "/user-data", "/network-config", "/tools/start"} <= names


def test_that_a_key_is_made_for_the_run_and_private(tmp_path: Path) -> None:
    pair = cloud_image.key_pair(tmp_path)
    assert pair.public.startswith("ssh-ed25519 ")
    assert pair.private.stat().st_mode & 0o077 == 0
