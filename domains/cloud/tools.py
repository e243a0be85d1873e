"""What an ordinary cloud image lacks to be measured: iperf3, brought along with its libraries and its loader.

They are those of the tiny guest, byte for byte, so that both kinds of guest are measured by one program. The
packages' own loader starts them, so it does not matter which C library the image has, or how old it is.
"""

from __future__ import annotations

from pathlib import Path

from domains.errors import InfrastructureError
from domains.images import GuestImage
from domains.process import run

# Written when the guest is ready, with one word a line of what it has.
READY = "/run/tdlab.ready"
LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARIES = "lib/x86_64-linux-gnu"
PROGRAM = "bin/iperf3"

# The two settings of TCP are those of the tiny guest's init, for the same reasons.
_START = f"""\
#!/bin/sh
cd -- "${{0%/*}}" || exit
echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save
echo 0 >/proc/sys/net/ipv4/tcp_slow_start_after_idle
has=
# An agent that is installed but not enabled is started; where there is none, SSH is the channel.
systemctl start qemu-guest-agent 2>/dev/null && has="$has agent"
./{LOADER} --library-path "$PWD/{LIBRARIES}" ./{PROGRAM} --server --daemon && has="$has iperf3"
# Renamed into place, so that nobody reads half of it.
echo "$has" >{READY}.new && mv {READY}.new {READY}
"""


def write(image: GuestImage, folder: Path) -> Path:
    """Fill a new folder with the tools and the script ``start``; raises when the guest image lacks one."""
    folder.mkdir(parents=True)
    words = ["cpio", "--extract", "--quiet", "--make-directories", "--no-preserve-owner"]
    wanted = [PROGRAM, LOADER, f"{LIBRARIES}/*"]
    run([*words, "--file", image.initramfs.resolve(), *wanted], timeout=60, cwd=folder)
    for name in (PROGRAM, LOADER):
        if not (folder / name).is_file():
            raise InfrastructureError(f"the guest image {image.digest} holds no {name}")
    (folder / "start").write_text(_START)
    return folder
