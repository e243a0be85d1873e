# Print what tdlab needs to know of a host's PCI devices, in sections headed "@@ name". Runs under any POSIX sh, as
# any user, and changes nothing. One program a section, whatever the number of devices: an emulated host takes
# milliseconds for each process. What cannot be read is left out.
# $1: where the host's tree begins; empty but in tests.
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
exec 2>/dev/null
section() { printf '\n@@ %s\n' "$1"; }
pci=$1/sys/bus/pci/devices net=$1/sys/class/net block=$1/sys/class/block

section links
ls -ld "$pci"/* "$pci"/*/driver "$pci"/*/iommu_group "$pci"/*/virtfn* "$net"/* "$net"/*/lower_* \
    "$net"/*/master "$block"/* "$block"/*/slaves/*
section values
grep -Hs . "$pci"/*/class "$pci"/*/vendor "$pci"/*/device "$pci"/*/sriov_totalvfs "$pci"/*/sriov_numvfs \
    "$pci"/*/sriov_drivers_autoprobe "$pci"/*/driver_override "$pci"/*/boot_vga "$pci"/*/modalias \
    "$net"/*/flags "$net"/*/address "$block"/*/dev "$1"/sys/kernel/iommu_groups/*/type
section drivers
# Which modules this kernel has for the NICs, bound to one or not; all VFs of a PF have one modalias.
cat "$pci"/*/modalias | grep 'bc02sc' | sort -u | while read -r alias; do
    printf '%s' "$alias"
    modprobe --resolve-alias "$alias" | while read -r module; do printf ' %s' "$module"; done
    echo
done
section held
# VFIO's files that a process has open: a device in use by a guest. Others' processes are seen by root only.
ls -l "$1"/proc/[0-9]*/fd | grep -o '/dev/vfio/[^ ]*$' | sort -u
section mounts; cat "$1/proc/self/mountinfo"
section swaps; cat "$1/proc/swaps"
section routes; ip -o route show default; ip -o -6 route show default
section addresses; ip -o address show scope global
section reached-at; set -- $SSH_CONNECTION; [ -n "$3" ] && echo "$3"
section end
