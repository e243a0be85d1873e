"""Ordinary cloud images as guests, where a lab wants another guest than the tiny one.

::

    image   what a disk image is, and the NoCloud seed that cloud-init reads
    tools   iperf3 with its libraries, which an ordinary image lacks
    ssh     the channel to a guest that has no agent
    guest   such a guest's life, from upload to end
"""
