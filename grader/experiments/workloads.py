"""Work for a guest, in machine code: a few dozen bytes each, so that nothing else is measured.

The tiny guest has no compiler and no libc to speak of. Each workload is a whole static ELF program, made
here: a loop whose body does one thing. Times are the guest's own (/proc/uptime, in steps of 10 ms).
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass, replace

from domains.errors import GuestError
from domains.guest import Guest

_BASE = 0x400000
_HEADERS = 64 + 56
_MOST = 2**31 - 1
# No device of our guests answers at this port: each read is one exit to QEMU, and no more.
PORT = 0x9000


@dataclass(frozen=True)
class Workload:
    """What is done once before the loop, what is done each time round, and what it is called in the guest."""

    name: str
    body: bytes
    prologue: bytes = b""

    def program(self, count: int) -> bytes:
        """Return the static ELF program that does the body ``count`` times (1 to 2^31 - 1).

        Source: the System V ABI, AMD64 supplement; one loadable segment, entered after the headers.
        """
        if not 1 <= count <= _MOST:
            raise ValueError(f"{count} is no number of rounds")
        start = self.prologue + b"\x49\xc7\xc4" + struct.pack("<i", count)  # mov r12, count
        loop = self.body + b"\x49\xff\xcc"  # dec r12
        back = b"\x0f\x85" + struct.pack("<i", -(len(loop) + 6))  # jnz to the body
        code = start + loop + back + _EXIT
        entry, size = _BASE + _HEADERS, _HEADERS + len(code)
        elf = b"\x7fELF\x02\x01\x01" + bytes(9)
        elf += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        elf += struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 4096)
        return elf + code


def _system_call(number: int) -> bytes:
    return b"\xb8" + struct.pack("<I", number) + b"\x0f\x05"  # mov eax, number | syscall


_EXIT = b"\x31\xff" + _system_call(60)  # xor edi, edi | exit

_PAGES = 64


def _map_and_unmap(pages: int) -> bytes:
    """Return the body: mmap ``pages`` pages, write to each of them, munmap them."""
    size = struct.pack("<I", pages * 4096)
    mapped = b"\x31\xff\xbe" + size + b"\xba\x03\x00\x00\x00"  # edi 0, esi size, edx PROT_READ|PROT_WRITE
    mapped += b"\x41\xba\x22\x00\x00\x00"  # mov r10d, MAP_PRIVATE|MAP_ANONYMOUS
    mapped += b"\x49\xc7\xc0\xff\xff\xff\xff\x45\x31\xc9" + _system_call(9)  # r8 -1, r9d 0, mmap
    # mov byte [rax], 1 | add rax, 4096 | dec r13d
    touch = b"\xc6\x00\x01\x48\x05\x00\x10\x00\x00\x41\xff\xcd"
    touched = b"\x48\x89\xc7\x41\xbd" + struct.pack("<I", pages) + touch
    touched += b"\x75" + bytes([256 - len(touch) - 2])  # jnz to the touch; rdi keeps the address
    return mapped + touched + b"\xbe" + size + _system_call(11)  # munmap


# imul rax, rax, 109 | add rax, 1: work that no hypervisor has a part in
ARITHMETIC = Workload("arithmetic", b"\x48\x6b\xc0\x6d\x48\x83\xc0\x01")
# getppid: into the guest's own kernel and back
SYSTEM_CALLS = Workload("system-calls", _system_call(110))
# cpuid, which the hypervisor answers in the CPU's stead
CPUID = Workload("cpuid", b"\x31\xc0\x0f\xa2")
# Reads of /dev/port, so that it is the guest's kernel which does the `in`: in user space it needs an I/O
# bitmap, and QEMU's nested SVM does not find the one in the guest's task state segment.
_OPEN_PORTS = (
    b"\x6a\x74\x48\xb8/dev/por\x50\x48\x89\xe7\x31\xf6"  # push "/dev/port" | mov rdi, rsp | xor esi, esi
    + _system_call(2)  # open
    + b"\x85\xc0\x79\x0c\xbf\x01\x00\x00\x00"  # if it failed: mov edi, 1
    + _system_call(60)  # exit
    + b"\x41\x89\xc6"  # mov r14d, eax
)
# mov edi, r14d | mov rsi, rsp | mov edx, 1 | mov r10d, PORT | pread64
_READ_PORT = (
    b"\x44\x89\xf7\x48\x89\xe6\xba\x01\x00\x00\x00\x41\xba" + struct.pack("<I", PORT) + _system_call(17)
)
PORT_READS = Workload("port-reads", _READ_PORT, _OPEN_PORTS)
MAPPING = Workload("mapping", _map_and_unmap(_PAGES))


def on_vcpu(workload: Workload, number: int) -> Workload:
    """Return the workload kept on one of the first seven vCPUs by sched_setaffinity."""
    if not 0 <= number < 7:
        raise ValueError(f"{number} is not one of the first seven vCPUs")
    # push mask | mov rdx, rsp | xor edi, edi | mov esi, 8
    pin = b"\x6a" + bytes([1 << number]) + b"\x48\x89\xe2\x31\xff\xbe\x08\x00\x00\x00" + _system_call(203)
    return replace(workload, prologue=pin + workload.prologue)


def seconds(guest: Guest, workload: Workload, count: int, *, timeout: float = 120) -> float:
    """Run a workload in the guest ``count`` times round; return the seconds it took by the guest's clock."""
    return _samples(guest, workload, count, 1, timeout)[0]


def rounds(guest: Guest, workload: Workload, start: int, *, least: float = 0.5) -> int:
    """Return how many rounds take ``least`` seconds or more in this guest, ``start`` of them at least."""
    count, took = start, seconds(guest, workload, start)
    while took < least and count < _MOST:
        # The clock's step is 0.01 s: what took no step at all is tried with sixteen times as many.
        count = min(_MOST, int(count * (min(16.0, 1.2 * least / took) if took else 16.0)) + 1)
        took = seconds(guest, workload, count)
    return count


def nanoseconds(guest: Guest, workload: Workload, count: int, *, repeat: int = 3) -> list[float]:
    """Return the nanoseconds that one of ``count`` rounds takes, measured ``repeat`` times."""
    return [took / count * 1e9 for took in _samples(guest, workload, count, repeat, 120)]


def timed(guest: Guest, line: str, *, timeout: float = 120) -> float:
    """Run a line of shell, ours, in the guest; return its seconds by the guest's clock (steps of 0.01 s).

    Raises :class:`GuestError` when the line fails.
    """
    return _times(guest, line, 1, timeout)[0]


def _samples(guest: Guest, workload: Workload, count: int, repeat: int, timeout: float) -> list[float]:
    file = f"/tmp/{workload.name}-{count}"  # noqa: S108 (in the guest, which is ours alone)
    text = base64.b64encode(workload.program(count)).decode()
    install = f"[ -x {file} ] || {{ echo {text} | base64 -d >{file} && chmod 755 {file}; }}; "
    return _times(guest, file, repeat, timeout, before=install)


def _times(guest: Guest, line: str, repeat: int, timeout: float, *, before: str = "") -> list[float]:
    """Run a line some times; all in one request: where software emulates software, each takes seconds."""
    script = (
        f"{before}for number in $(seq {repeat}); do read -r began rest </proc/uptime; "
        f"{line} >/dev/null; status=$?; "
        "read -r ended rest </proc/uptime; echo $began $ended $status; done"
    )
    found = [said.split() for said in guest.shell(script, timeout=timeout).splitlines()]
    for said in [*found, *[[]] * (repeat - len(found))]:
        if len(said) != 3 or said[2] != "0":
            raise GuestError(f"{line} in {guest.machine.name} ended with {' '.join(said[2:]) or 'nothing'}")
    return [float(ended) - float(began) for began, ended, _ in found]
