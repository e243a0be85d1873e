"""What a spec's values may be: sizes, switches, addresses and names, refused with what would be right."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema

from domains.refusal import Refusal, nearest, shown

MIB = 2**20
# More than any host has; what is beyond is a slip of the keyboard.
_LARGEST = 2**46
_SPELT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_UNITS = {"": 1, "b": 1, "kib": 2**10, "k": 2**10, "mib": MIB, "m": MIB, "gib": 2**30, "g": 2**30}
# Units of a thousand: the nearest ones that memory is counted in.
_DECIMAL = {"kb": "KiB", "mb": "MiB", "gb": "GiB", "tb": "1024 GiB"}

EMULATED_NICS = ("i82557b", "e1000", "e1000e", "rtl8139", "pcnet", "vmxnet3", "igb")
NicModel = Literal[
    "i82557b", "e1000", "e1000e", "rtl8139", "pcnet", "vmxnet3", "igb", "virtio", "hostdev", "vf"
]
# What people type for a model, and the one name it has here (and in QEMU, where QEMU has one).
_NIC_ALIASES = {
    "e100": "i82557b",
    "eepro100": "i82557b",
    "i82557": "i82557b",
    "virtio-net": "virtio",
    "virtio-net-pci": "virtio",
    "passthrough": "hostdev",
    "sriov": "vf",
    "sr-iov": "vf",
    "vmxnet": "vmxnet3",
    "82576": "igb",
    "pcnet32": "pcnet",
    "8139": "rtl8139",
}


def _switch(value: Any) -> Any:
    """YAML reads a bare on/off as a boolean; a spec means the word."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if value not in ("on", "off"):
        raise Refusal(f"{shown(value)} is neither on nor off", remedy="write on or off")
    return value


def size(value: Any) -> int:
    """Return a number of bytes from a whole number or from text with a unit (KiB, MiB, GiB)."""
    if isinstance(value, int) and not isinstance(value, bool):
        bytes_ = value
    else:
        match = re.fullmatch(r"([0-9]{1,18})\s*([A-Za-z]*)", str(value).strip())
        unit = match[2].lower() if match else ""
        if match and unit in _DECIMAL:
            raise Refusal(
                f"{shown(value)} is counted in thousands, and memory is not",
                remedy=f"write {match[1]} {_DECIMAL[unit]}",
            )
        if not match or unit not in _UNITS:
            remedy = "write a whole number and a unit: 256 MiB, 2 GiB"
            raise Refusal(f"{shown(value)} is not a size", remedy=remedy)
        bytes_ = int(match[1]) * _UNITS[unit]
    if not 0 <= bytes_ <= _LARGEST:
        raise Refusal(f"{shown(value)} is no size that a host could have", remedy="write 256 MiB, or 2 GiB")
    return bytes_


def in_units(bytes_: int) -> str:
    """Write a number of bytes in the largest unit that holds it whole."""
    for unit, factor in (("GiB", 2**30), ("MiB", MIB), ("KiB", 2**10)):
        if bytes_ and bytes_ % factor == 0:
            return f"{bytes_ // factor} {unit}"
    return f"{bytes_} B"


def _nic_model(value: Any) -> Any:
    known = get_args(NicModel)
    if value in known:
        return value
    guess = _NIC_ALIASES.get(str(value).lower()) or nearest(value, known)
    remedy = f"did you mean {guess!r}?" if guess else f"known models: {', '.join(known)}"
    raise Refusal(f"unknown NIC model {shown(value)}", remedy=remedy)


def _pci_address(value: Any) -> Any:
    text = str(value).lower()
    if re.fullmatch(r"[0-9a-f]{2}:[01][0-9a-f]\.[0-7]", text, re.ASCII):
        text = f"0000:{text}"
    if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]", text, re.ASCII):
        remedy = "write it as lspci -D does: 0000:03:10.0"
        raise Refusal(f"{shown(value)} is not a PCI address", remedy=remedy)
    return text


def _any_address(value: Any) -> Any:
    """A PCI address, or ``auto``: the host that runs the guest then chooses the device."""
    return value if value == "auto" else _pci_address(value)


def _mac(value: Any) -> Any:
    text = str(value).lower().replace("-", ":")
    if not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", text, re.ASCII):
        remedy = "write six pairs of hexadecimal digits: 52:54:00:12:34:56"
        raise Refusal(f"{shown(value)} is not a MAC address", remedy=remedy)
    first = int(text[:2], 16)
    if first & 1:
        near = f"{first & 0xFE:02x}{text[2:]}"
        raise Refusal(
            f"{value} is a multicast address: the first byte of a NIC's own is even",
            remedy=f"did you mean {near}?",
        )
    if first == 0xFE:
        # libvirt gives the host's end of the cable the guest's address with FE in front.
        raise Refusal(
            f"{value} begins with fe, which libvirt keeps for the host's end",
            remedy=f"write 52{text[2:]}",
        )
    return text


def _name(value: Any) -> Any:
    return _spelt(value, "name", 63)


def _interface(value: Any) -> Any:
    # Linux limits an interface's name to 15 bytes.
    return _spelt(value, "interface name", 15)


def _cpu_model(value: Any) -> Any:
    return _spelt(value, "CPU model", 63)


def _spelt(value: Any, kind: str, longest: int) -> Any:
    if not isinstance(value, str):
        remedy = f'write it in quotes: "{value}"' if isinstance(value, int | float) else None
        raise Refusal(f"{shown(value)} is not text, as a {kind} must be", remedy=remedy)
    if len(value) > longest or not _SPELT.fullmatch(value):
        remedy = f"at most {longest} letters, digits, dots, dashes and underscores; a letter or digit first"
        raise Refusal(f"{shown(value)} cannot be a {kind}", remedy=remedy)
    return value


# What an editor is told may be written: the forms that the functions above take.
_SWITCH_FORM = {"enum": ["on", "off", True, False], "description": "on or off"}
_SIZE_FORM = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": r"^\s*[0-9]{1,18}\s*([bB]|[kKmMgG]([iI][bB])?)?\s*$"},
    ],
    "description": "a whole number and a unit: 256 MiB, 2 GiB",
}
_ADDRESS = r"([0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7]"
_ADDRESS_FORM = {"type": "string", "pattern": f"^{_ADDRESS}$"}
_ANY_ADDRESS_FORM = {"type": "string", "pattern": f"^(auto|{_ADDRESS})$"}
_MAC_FORM = {"type": "string", "pattern": "^[0-9a-fA-F][02468aceACE]([:-][0-9a-fA-F]{2}){5}$"}
_NAME_FORM = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"}
_INTERFACE_FORM = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$"}

Switch = Annotated[Literal["on", "off"], BeforeValidator(_switch), WithJsonSchema(_SWITCH_FORM)]
Bytes = Annotated[int, BeforeValidator(size), WithJsonSchema(_SIZE_FORM)]
PciAddress = Annotated[str, BeforeValidator(_pci_address), WithJsonSchema(_ADDRESS_FORM)]
AnyAddress = Annotated[str, BeforeValidator(_any_address), WithJsonSchema(_ANY_ADDRESS_FORM)]
Mac = Annotated[str, BeforeValidator(_mac), WithJsonSchema(_MAC_FORM)]
Name = Annotated[str, BeforeValidator(_name), WithJsonSchema(_NAME_FORM)]
Interface = Annotated[str, BeforeValidator(_interface), WithJsonSchema(_INTERFACE_FORM)]
CpuModel = Annotated[str, BeforeValidator(_cpu_model), WithJsonSchema(_NAME_FORM)]
Model = Annotated[NicModel, BeforeValidator(_nic_model)]
# Strict: YAML's "on" is no number, and neither is 2.0.
Count = Annotated[int, Field(strict=True, ge=1)]
HostCpu = Annotated[int, Field(strict=True, ge=0, lt=4096)]
