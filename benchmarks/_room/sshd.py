"""An sshd and a sudo that are not installed: the distribution's packages, unpacked into the cache."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import filelock

from domains import paths, process
from domains.guest_image import packages

_PACKAGES = ("openssh-server", "openssh-sftp-server", "sudo")


def root() -> Path:
    """Return a folder with ``usr/sbin/sshd``, sudo and the libraries that this machine lacks; made once."""
    wanted = {name: version for name, version in packages.with_libraries(_PACKAGES).items() if _lacks(name)}
    home = paths.cache() / "sshd"
    home.mkdir(exist_ok=True)
    made = home / "-".join(wanted[name].replace(":", "_") for name in _PACKAGES)
    with filelock.FileLock(home / ".lock"):
        if not made.is_dir():
            with tempfile.TemporaryDirectory(dir=home) as scratch:
                packages.fetch(wanted, Path(scratch))
                fetched = Path(scratch, "root")
                # Beside usr a package may hold lib, which on this root is a link into usr.
                if (fetched / "lib").is_dir():
                    shutil.copytree(fetched / "lib", fetched / "usr/lib", symlinks=True, dirs_exist_ok=True)
                Path(scratch, "kept").mkdir()
                (fetched / "usr").rename(Path(scratch, "kept/usr"))
                Path(scratch, "kept").chmod(0o755)
                Path(scratch, "kept").rename(made)
    return made


def _lacks(package: str) -> bool:
    words = ["dpkg-query", "--show", "--showformat", "${Status}", package]
    return package in _PACKAGES or "ok installed" not in process.run(words, timeout=30, check=False).stdout
