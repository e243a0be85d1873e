"""Which QEMU runs an emulated lab host, chosen by what it was seen to do.

:mod:`~domains.qemu.behaviour` probes a QEMU, :mod:`~domains.qemu.build` makes our own,
:mod:`~domains.qemu.runtime` unpacks other versions from Debian's packages, and
:mod:`~domains.qemu.resolver` chooses. Nothing of this touches the QEMU that the system has installed.
"""
