# Print everything cheap that tdlab asks of a host, in sections headed "@@ name". Runs under any POSIX sh, as any
# user, and changes nothing. What cannot be read is left out, and the reader then says "unknown".
# $1: the emulator's path on this host.
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
exec 2>/dev/null
section() { printf '\n@@ %s\n' "$1"; }
# The subshell keeps a refused open from ending the script. -c first: "<>" would make a file that is missing.
opens() {
    if [ ! -c "$1" ]; then echo missing
    elif said=$( (: <>"$1") 2>&1); then echo opens
    else echo "refused ${said##*: }"; fi
}

section kernel; uname -srvm
section boot; cat /proc/sys/kernel/random/boot_id
section cpuinfo; sed '/^$/q' /proc/cpuinfo
section cpus; cat /sys/devices/system/cpu/online
section user; id -u; id -un; id -Gn
section sudo; if sudo -n true; then echo yes; else echo no; fi
section product; cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name
section outer; cat /sys/hypervisor/type || systemd-detect-virt --vm

section kvm; opens /dev/kvm; stat -c '%a %U %G' /dev/kvm
section vhost-net; opens /dev/vhost-net
section tun; opens /dev/net/tun
# A network namespace of its own: the bridge that is tried goes away with it.
section bridge
if unshare --net ip link add name tdlab0 type bridge || unshare --map-root-user --net ip link add name tdlab0 type bridge
then echo works
elif unshare --net true || unshare --map-root-user --net true
then echo refused
fi
section modules
for module in /sys/module/kvm /sys/module/kvm_*; do
    [ -d "$module" ] || continue
    echo "${module##*/}"
    for parameter in ept npt nested unrestricted_guest enable_apicv avic; do
        [ -r "$module/parameters/$parameter" ] && echo "${module##*/} $parameter=$(cat "$module/parameters/$parameter")"
    done
done
section loadable
for module in kvm_intel kvm_amd vhost_net vfio_pci tun bridge; do
    modprobe --dry-run --quiet "$module" && echo "$module"
done
section log; dmesg | grep -iE 'kvm|vmx|svm|dmar|amd-vi|iommu|remapping' | tail -n 60
# IA32_FEATURE_CONTROL and VM_CR: only root can read them, and only with module msr.
section msr-3a; dd if=/dev/cpu/0/msr bs=8 count=1 iflag=skip_bytes skip=58 | od -An -tx8
section msr-c0010114; dd if=/dev/cpu/0/msr bs=8 count=1 iflag=skip_bytes skip=3221291284 | od -An -tx8
section tracepoints
# Only root may look into tracefs. A histogram that can be read is there, and not locked away by the kernel.
tracing=/sys/kernel/tracing as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"
tells() { if "$@" >/dev/null; then echo "$word yes"; else echo "$word no"; fi; }
word=folder tells test -d "$tracing"
word=mounted tells grep " $tracing tracefs " /proc/mounts
word=root tells $as_root true
word=event tells $as_root test -d "$tracing/events/kvm/kvm_exit"
word=hist tells $as_root cat "$tracing/events/kvm/kvm_exit/hist"
word=instances tells $as_root test -w "$tracing/instances"

section acpi; ls /sys/firmware/acpi/tables
section kernel-line; tr ' ' '\n' </proc/cmdline | grep -E 'iommu|intremap'
section iommu; ls /sys/class/iommu
section interrupts; grep -oE 'IR-(PCI-MSIX?|IO-APIC|PCI-MSI-X)|DMAR-MSI|AMD-Vi' /proc/interrupts | sort | uniq -c
section pci
for device in /sys/bus/pci/devices/*; do
    [ -d "$device" ] || continue
    printf '%s' "${device##*/}"
    for key in class vendor device sriov_totalvfs sriov_numvfs; do
        [ -r "$device/$key" ] && printf ' %s=%s' "$key" "$(cat "$device/$key")"
    done
    for link in driver iommu_group physfn; do
        [ -e "$device/$link" ] && target=$(readlink -f "$device/$link") && printf ' %s=%s' "$link" "${target##*/}"
    done
    echo
done
section interfaces
for interface in /sys/class/net/*; do
    printf '%s' "${interface##*/}"
    [ -d "$interface/bridge" ] && printf ' bridge=yes'
    [ -e "$interface/device" ] && printf ' device=%s' "$(readlink -f "$interface/device")"
    [ -e "$interface/master" ] && master=$(readlink -f "$interface/master") && printf ' master=%s' "${master##*/}"
    echo
done
section routes; ip -o route show default; ip -o -6 route show default
section reached-at
set -- "$1" $SSH_CONNECTION
[ -n "$4" ] && ip -o address show to "$4"

section hugepages
for size in /sys/kernel/mm/hugepages/hugepages-*; do
    echo "${size##*-} $(cat "$size/nr_hugepages") $(cat "$size/free_hugepages")"
done
section memory; grep -E '^Mem(Total|Available)' /proc/meminfo
section disk
for folder in /var/lib/libvirt/images /var/lib /; do
    [ -d "$folder" ] && df -Pk "$folder" | tail -n 1 && break
done

section qemu-file; stat -L -c '%s %Y' "$1"
section qemu-version; "$1" --version | head -n 1
section qemu-devices; "$1" -device help | sed -n 's/^name "\([^"]*\)".*/\1/p'
section qemu-machines; "$1" -machine help | sed -n 's/^\([^ ]*\) .*/\1/p'
section end
