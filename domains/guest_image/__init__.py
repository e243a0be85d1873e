"""The tiny guest: what goes into it, and how it is made from the distribution's packages.

:mod:`~domains.guest_image.contents` lists programs, drivers and files; ``init`` and the scripts beside it run
inside the guest; the other modules make the kernel and the initramfs. :mod:`domains.images` keeps the result.
"""
