"""libvirt's exceptions in our words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import libvirt

from domains.errors import HypervisorError

P = ParamSpec("P")
T = TypeVar("T")


def translated(doing: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Say what was being done when libvirt refused: ``libvirt could not <doing>: <its own words>``."""

    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return method(*args, **kwargs)
            except libvirt.libvirtError as why:
                raise HypervisorError(f"libvirt could not {doing}: {why.get_error_message()}") from why

        return call

    return decorate
