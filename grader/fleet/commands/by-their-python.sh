#!/bin/sh
# A Python of this machine's has what tdlab needs.
PYTHONPATH=/opt/tdlab/tool exec {python} -P -m grader "$@"
