#!/bin/sh
# Say what the role decides by, a line a fact; nothing is changed. One script: each of Ansible's modules starts a
# Python on the host, which takes seconds on an emulated one.
# usage: look.sh PACKAGE...
if [ -r /etc/os-release ]; then
    . /etc/os-release
    echo "distribution ${ID:-unknown} ${VERSION_ID:-0}"
fi
# Which init is installed says nothing about whether it runs: in a container these differ.
[ -d /run/systemd/system ] && echo "systemd runs"
for unit in libvirtd.service libvirtd.socket; do
    # shellcheck disable=SC2046  # two words
    [ -d /run/systemd/system ] && echo "unit $unit" $(systemctl is-active "$unit") $(systemctl is-enabled "$unit" 2>/dev/null)
done
dpkg-query --show --showformat 'package ${Package} ${Status} ${Version}\n' "$@" 2>/dev/null
# dpkg-query ends with 1 where it does not know one of them, which is what was asked.
[ $? -le 1 ]
