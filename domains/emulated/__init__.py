"""The emulated lab host: a machine of QEMU's on which real KVM, VFIO and SR-IOV run.

``recipe/`` holds the files that its image gets; :mod:`image` builds it, :mod:`plan` says what the machine
looks like, :mod:`lifecycle` starts, resets and ends it, :mod:`registry` remembers which hosts there are.
"""
