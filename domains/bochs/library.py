"""Run by the appliance's own Python while its image is made: compile what it will import, and list it.

``library.py ROOT MODULE...`` prints the files, one a line, below ROOT. Compiled beside their sources and
without looking at them again (PEP 552): the image needs no sources, and equal inputs give equal bytes.
"""

from __future__ import annotations

import importlib
import py_compile
import sys
from py_compile import PycInvalidationMode


def main(root: str, names: list[str]) -> None:
    """Import every module named, and compile all that this brought along."""
    for name in names:
        importlib.import_module(name)
    files = {getattr(module, "__file__", None) for module in sys.modules.values()}
    for file in sorted(name for name in files if name and name.startswith(f"{root}/")):
        found = file
        if file.endswith(".py"):
            inside = file.removeprefix(root)
            mode = PycInvalidationMode.UNCHECKED_HASH
            found = f"{file}c"
            py_compile.compile(file, found, inside, doraise=True, invalidation_mode=mode)
        print(found.removeprefix(f"{root}/"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
