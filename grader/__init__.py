"""From a measurement to a mark: ``measurement → check → result → score → report``.

Importing this package is cheap on purpose: neither scipy nor libvirt is loaded until something needs it.
"""
