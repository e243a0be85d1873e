"""Small Python programs of the lab, run on a host: here, or fed to its Python over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from domains import process
from domains.host import Host
from domains.process import Completed

# Ends the program on the host a little after we stopped waiting for it.
_GRACE_SECONDS = 2
# Root as a rule on a lab host; else sudo, which never asks here.
AS_ROOT = ("sh", "-c", 'if [ "$(id -u)" -eq 0 ]; then exec "$@"; fi; exec sudo -n "$@"', "tdlab")
_LOADER = """\
import sys, types
def load(name, source, module):
    exec(compile(source, name + ".py", "exec"), module.__dict__)
"""


def bundle(program: Path, modules: Sequence[Path] = ()) -> str:
    """Return one source that runs ``program`` where no other file is; it can import ``modules``."""
    lines = [_LOADER]
    for module in modules:
        name = module.stem
        lines.append(f"sys.modules[{name!r}] = types.ModuleType({name!r})")
        lines.append(f"load({name!r}, {module.read_text(encoding='utf-8')!r}, sys.modules[{name!r}])")
    lines.append(f"load({program.stem!r}, {program.read_text(encoding='utf-8')!r}, sys.modules['__main__'])")
    return "\n".join(lines) + "\n"


def run(
    host: Host,
    program: Path,
    arguments: Sequence[str] = (),
    *,
    modules: Sequence[Path] = (),
    timeout: float = 120,
    root: bool = False,
    check: bool = True,
) -> Completed:
    """Run a program on a host to its end; nothing is written there. Errors as in :meth:`Host.run`.

    Only the standard library of the host's own python3 is there, and the ``modules`` given.
    """
    words = [*(AS_ROOT if root else ()), "python3", "-", *arguments]
    bounded = ["timeout", "--signal=KILL", f"{timeout + _GRACE_SECONDS:g}", *words]
    return process.run(host.argv(bounded), timeout=timeout, check=check, stdin=bundle(program, modules))
