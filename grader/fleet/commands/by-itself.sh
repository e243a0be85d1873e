#!/bin/sh
# tdlab sets itself up where it has not been, from PyPI.
exec /opt/tdlab/tool/tdlab "$@"
