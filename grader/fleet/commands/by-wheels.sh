#!/bin/sh
# What tdlab needs was deployed beside it, for the distribution's Python.
set -eu
python=$(readlink -f /usr/bin/python3)
version=${python##*python}
if ! packages=$(readlink -e "/opt/tdlab/python/$version"); then
    echo "tdlab: what it needs was not deployed for Python $version: tdlab deploy --wheels $version" >&2
    exit 3
fi
# Python takes a file for unchanged by its date and size, and what was deployed has no date: by real paths, which
# a new version changes, the bytecode of one is never taken for that of another.
tool=$(readlink -e /opt/tdlab/tool)
PYTHONPATH=$tool:$packages
# Students may not write beside it.
PYTHONPYCACHEPREFIX=${XDG_CACHE_HOME:-$HOME/.cache}/tdlab/bytecode
export PYTHONPATH PYTHONPYCACHEPREFIX
exec "$python" -P -m grader "$@"
