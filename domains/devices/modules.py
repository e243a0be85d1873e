"""KVM's module with other parameters: whether guests run on EPT/RVI is the host's affair, not a guest's.

The module is loaded anew, which no guest survives: it is refused while one runs, and put back afterwards.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping

from domains import ownership
from domains.devices import changes
from domains.devices.records import Record
from domains.devices.steps import carry_out
from domains.errors import CapabilityMissing, InfrastructureError
from domains.host import Host
from domains.render import Owner

# The parameter that stands for two-dimensional page tables, by module: Intel's EPT, AMD's RVI.
TWO_TABLES = {"kvm_intel": "ept", "kvm_amd": "npt"}
_ON = {"Y", "1"}
# Values that mean the same when they are written as when they are read.
_SWITCH = re.compile(r"[YN01]")
_READ = (
    "for module in kvm_intel kvm_amd; do for file in /sys/module/$module/parameters/*; do"
    ' [ -r "$file" ] && echo "$module ${file##*/} $(cat "$file")"; done; done; true'
)


def parameters(host: Host) -> tuple[str, dict[str, str]]:
    """Return the name of the host's KVM module and its parameters as they are read back.

    Raises :class:`CapabilityMissing` when neither kvm_intel nor kvm_amd is loaded.
    """
    found: dict[str, str] = {}
    module = ""
    for line in host.run(["sh", "-c", _READ], timeout=20).stdout.splitlines():
        module, name, *value = line.split(maxsplit=2)
        found[name] = "".join(value)
    if not module:
        raise CapabilityMissing(
            f"{host.name} has neither kvm_intel nor kvm_amd loaded",
            remedy="run: sudo modprobe kvm_intel   (or kvm_amd), and read the kernel log",
        )
    return module, found


def two_tables(host: Host) -> bool:
    """Return whether guests run on EPT/RVI now (True) or on shadow page tables (False)."""
    module, found = parameters(host)
    return found.get(TWO_TABLES[module]) in _ON


@contextlib.contextmanager
def with_two_tables(host: Host, wanted: bool, *, owner: Owner | None = None) -> Iterator[None]:
    """Own the host's KVM running its guests on EPT/RVI, or not; nothing is loaded anew if it does so already.

    Raises as :func:`with_parameters` does.
    """
    module, found = parameters(host)
    name = TWO_TABLES[module]
    if (found.get(name) in _ON) == wanted:
        yield
        return
    with with_parameters(host, {name: "1" if wanted else "0"}, owner=owner):
        yield


@contextlib.contextmanager
def with_parameters(host: Host, wanted: Mapping[str, str], *, owner: Owner | None = None) -> Iterator[None]:
    """Own the host's KVM module being loaded with these parameters; the former ones are put back.

    The parameters are read back before the block begins. Raises :class:`DeadlineExceeded` while a guest
    runs, :class:`CapabilityMissing` when the module has no such parameter.
    """
    module, found = parameters(host)
    for name in wanted:
        if name not in found:
            raise CapabilityMissing(f"{module} on {host.name} has no parameter {name}")
    before = {name: value for name, value in found.items() if _SWITCH.fullmatch(value)}
    record = Record(
        "module", module, owner or ownership.this_process(ownership.new_run_id()), {"parameters": before}
    )
    words = [f"{name}={value}" for name, value in sorted((before | dict(wanted)).items())]
    steps = (("module", module, " ".join(words)),)
    with changes.changed(host, record, steps, what=f"load {module} with {_told(wanted)}"):
        now = parameters(host)[1]
        for name, value in wanted.items():
            if (now[name] in _ON) != (value in _ON):
                raise InfrastructureError(
                    f"{module} was loaded with {name}={value} and reads {name}={now[name]}",
                    remedy="the end of `dmesg` on the host may say more",
                )
        yield


@contextlib.contextmanager
def switched(host: Host, name: str, on: bool, *, owner: Owner | None = None) -> Iterator[None]:
    """Own a switch of the running KVM module that the kernel lets be written, such as ``dump_invalid_vmcb``.

    Nothing is loaded anew, and guests run on. Only what a killed process left is put back by loading the
    module anew. Raises :class:`CapabilityMissing` when the module has no such parameter.
    """
    module, found = parameters(host)
    if name not in found:
        raise CapabilityMissing(f"{module} on {host.name} has no parameter {name}")
    if (found[name] in _ON) == on:
        yield
        return
    before = {one: value for one, value in found.items() if _SWITCH.fullmatch(value)}
    mine = owner or ownership.this_process(ownership.new_run_id())
    record = Record("module", module, mine, {"parameters": before})
    file = f"/sys/module/{module}/parameters/{name}"
    write, back = ("write", file, "1" if on else "0"), ("write", file, "0" if on else "1")
    with changes.changed(host, record, (write,), what=f"set {module}'s {name}"):
        try:
            yield
        finally:
            carry_out(host, (back,), what=f"put back {module}'s {name}")


def _told(wanted: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in wanted.items())
