"""Inside the appliance: runs the programs that arrive on the second serial line. Standard library only.

A request and its answer are one line of JSON each. A request brings its program along::

    {"files": {NAME: base64 of the zlib-packed text}, "program": NAME, "arguments": [...],
     "parameters": {"ept": "0"} or null, "kernel_log": true}

and its answer is ``{"status", "stdout", "stderr", "seconds", "parameters", "kernel_log"}``, where
``parameters`` are those of kvm_intel as the kernel shows them while the program runs.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import sys
import time
import traceback
import tty
import types
import zlib
from typing import Any

LINE = "/dev/ttyS1"
KERNEL_LOG = "/dev/kmsg"
FOLDER = "/root"
PARAMETERS = "/sys/module/kvm_intel/parameters"
SHOWN = ("ept", "dump_invalid_vmcs", "unrestricted_guest", "vpid")
LONGEST_OUTPUT = 256 * 1024

loaded: dict[str, str] | None = None


def load_kvm(parameters: dict[str, str]) -> None:
    """Have kvm_intel with these parameters, loading it again if it has others."""
    global loaded
    if loaded == parameters:
        return
    if loaded is not None:
        _command("rmmod", "kvm_intel")
    loaded = None
    _command("modprobe", "kvm_intel", *(f"{name}={value}" for name, value in parameters.items()))
    loaded = parameters


def _command(*words: str) -> None:
    status = os.spawnv(os.P_WAIT, f"/bin/{words[0]}", list(words))  # noqa: S606 (a fixed program, no shell)
    if status != 0:
        raise OSError(f"{' '.join(words)} ended with status {status}")


def shown_parameters() -> dict[str, str]:
    """Return kvm_intel's parameters as sysfs shows them; none when it is not loaded."""
    found = {}
    for name in SHOWN:
        try:
            with open(f"{PARAMETERS}/{name}") as parameter:  # noqa: PTH123 (pathlib is slow to load here)
                found[name] = parameter.read().strip()
        except FileNotFoundError:
            continue
    return found


def run(program: str, arguments: list[str]) -> tuple[int, str, str, float]:
    """Run a program of FOLDER in a process of its own; return its status, both outputs, and its seconds.

    A fork of this process has all modules loaded: starting Python anew costs some seconds here.
    """
    anew = os.O_RDWR | os.O_CREAT | os.O_TRUNC
    output, errors = (os.open(f"{FOLDER}/.{name}", anew) for name in ("output", "errors"))
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os._exit(_as_main(program, arguments))
    _, ended = os.waitpid(child, 0)
    seconds = time.monotonic() - began
    return os.waitstatus_to_exitcode(ended), _text(output), _text(errors), seconds


def _as_main(program: str, arguments: list[str]) -> int:
    """Do what ``python3 program arguments...`` would do, and return the exit status."""
    status = 0
    sys.argv = [program, *arguments]
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    try:
        with open(f"{FOLDER}/{program}", encoding="utf-8") as source:  # noqa: PTH123
            exec(compile(source.read(), program, "exec"), main.__dict__)  # noqa: S102 (its whole purpose)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 (what a program dies of goes where Python would print it)
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _text(file: int) -> str:
    os.lseek(file, 0, os.SEEK_SET)
    text = os.read(file, LONGEST_OUTPUT).decode(errors="replace")
    os.close(file)
    return text


def new_kernel_messages(log: int) -> str:
    """Return what the kernel said since the last time, a message a line (see its ABI/testing/dev-kmsg)."""
    lines: list[str] = []
    while True:
        try:
            record = os.read(log, 8192).decode(errors="replace")
        except BlockingIOError:
            return "\n".join(lines)
        except BrokenPipeError:  # the oldest messages were overwritten; go on with what is there
            continue
        if not record:
            return "\n".join(lines)
        lines.append(record.partition(";")[2].partition("\n")[0])


def answer(request: dict[str, Any], log: int) -> dict[str, Any]:
    """Do what a request asks for."""
    for name, packed in request["files"].items():
        with open(f"{FOLDER}/{name}", "wb") as file:  # noqa: PTH123
            file.write(zlib.decompress(base64.b64decode(packed)))
    try:
        if request["parameters"] is not None:
            load_kvm(request["parameters"])
    except OSError as failed:
        said = new_kernel_messages(log)
        return {
            "status": 1,
            "stdout": "",
            "stderr": f"{failed}\n{said}",
            "seconds": 0.0,
            "parameters": {},
            "kernel_log": said,
        }
    shown = shown_parameters()
    new_kernel_messages(log)
    status, stdout, stderr, seconds = run(request["program"], request["arguments"])
    said = new_kernel_messages(log) if request["kernel_log"] else ""
    return {
        "status": status,
        "stdout": stdout,
        "stderr": stderr,
        "seconds": seconds,
        "parameters": shown,
        "kernel_log": said,
    }


def main() -> None:
    """Say that the appliance is ready, then serve requests until the line says ``null``."""
    for name in sys.argv[1:]:
        importlib.import_module(name)
    sys.path[:0] = [FOLDER]
    line = os.open(LINE, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    log = os.open(KERNEL_LOG, os.O_RDONLY | os.O_NONBLOCK)
    _send(line, {"ready": True, "release": os.uname().release, "uptime": time.monotonic()})
    waiting = b""
    while True:
        waiting += os.read(line, 4096)
        if not waiting.endswith(b"\n"):
            continue
        request = json.loads(waiting)
        waiting = b""
        if request is None:
            return
        _send(line, answer(request, log))


def _send(line: int, message: dict[str, Any]) -> None:
    left = json.dumps(message).encode() + b"\n"
    while left:
        left = left[os.write(line, left) :]


if __name__ == "__main__":
    main()
