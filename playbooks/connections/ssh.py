"""Ansible's own ssh, that takes in so much of what a machine prints and no more: Ansible keeps it in memory.

It stands in for Ansible's plugin of that name where ``ANSIBLE_CONNECTION_PLUGINS`` names this folder, and
takes in ``TDLAB_MOST_OUTPUT`` bytes each of output and errors. When more comes, ssh is ended (on a terminal
of the machine's, a program that nobody reads any more goes on), and its status is ``CUT``.

Written for ansible-core 2.19 and 2.21, of which it needs that ``Connection._bare_run`` starts ssh by
``subprocess.Popen`` and takes in what ``stdout.read()`` and ``stderr.read()`` of it return. With an Ansible
that does otherwise machines are spoken to all the same, unbounded, and a warning says so.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import Any

import ansible.plugins.connection
from ansible.errors import AnsibleError
from ansible.utils.display import Display

# How our ssh ends when it has cut what a machine printed; domains.many_hosts says the same.
CUT = 141
_PR_SET_PDEATHSIG = 1
_UNBOUNDED = "what machines print is not bounded: this Ansible reads it in another way than tdlab knows"

# A copy of our own: Ansible takes this very file for its module of that name.
_PLACE = Path(ansible.plugins.connection.__file__).with_name("ssh.py")
_SPEC = importlib.util.spec_from_file_location("tdlab_ansible_ssh", _PLACE)
if _SPEC is None or _SPEC.loader is None:
    raise ImportError(f"no module: {_PLACE}")
_ansibles = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_ansibles)

DOCUMENTATION = _ansibles.DOCUMENTATION


class _Bounded:
    """One of ssh's outputs, as far as Ansible uses it; ``taken`` are the bytes that were handed on."""

    def __init__(self, child: Any, stream: Any, most: int) -> None:
        self._child, self._stream, self._most = child, stream, most
        self.taken = 0
        self.cut = False

    def fileno(self) -> int:
        return int(self._stream.fileno())

    def close(self) -> None:
        self._stream.close()

    def read(self) -> bytes:
        """Return what is there, as much as may be; nothing, as at an end, once there was more."""
        if self.cut:
            return b""
        # Not all that is there: from a machine that floods, more comes while it is read.
        left = self._most - self.taken
        chunk: bytes = self._stream.read(left + 1)
        self.cut = len(chunk) > left
        if self.cut:
            self._child.terminate()
        self.taken += len(chunk[:left])
        return chunk[:left]


class _Subprocess:
    """The module subprocess for one ssh, whose outputs are bounded."""

    def __init__(self, real: Any, most: int) -> None:
        self._real, self._most = real, most
        self.outputs: tuple[_Bounded, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def Popen(self, *words: Any, **more: Any) -> Any:  # noqa: N802 (as it is called there)
        child = self._real.Popen(*words, **more)
        child.stdout = _Bounded(child, child.stdout, self._most)
        child.stderr = _Bounded(child, child.stderr, self._most)
        self.outputs = (child.stdout, child.stderr)
        return child


def _end_with_ansible() -> None:
    """Have the kernel end this worker when Ansible is killed, of which its own session hears nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Connection(_ansibles.Connection):  # type: ignore[misc, name-defined]
    """Ansible's connection over ssh, bounded."""

    def _bare_run(self, *words: Any, **more: Any) -> tuple[int, bytes, bytes]:
        _end_with_ansible()
        real = _ansibles.subprocess
        ours = _Subprocess(real, int(os.environ["TDLAB_MOST_OUTPUT"]))
        # A worker of Ansible's does one thing at a time.
        _ansibles.subprocess = ours
        try:
            status, *said = super()._bare_run(*words, **more)
        except AnsibleError:
            # An ssh that was ended looks like a machine that cannot be reached.
            if not any(one.cut for one in ours.outputs):
                raise
            return CUT, b"", b""
        finally:
            _ansibles.subprocess = real
        if [one.taken < len(text) for one, text in zip(ours.outputs, said, strict=False)] != [False, False]:
            Display().warning(_UNBOUNDED)
        return CUT if any(one.cut for one in ours.outputs) else status, *said


if not hasattr(_ansibles.Connection, "_bare_run"):
    Display().warning(_UNBOUNDED)
