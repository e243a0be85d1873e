# Carry out steps on a host's PCI devices, one after the other, and end at the first that fails. Each step is a word
# and its operands; "-" stands for nothing. Runs under any POSIX sh, as root.
# $1: where the host's tree begins; empty but in tests. The rest: the steps.
# Ends with 0: all done; 75: not yet, try again; 76: another change of this device is under way (printed on stdout);
# 1: failed, and why is the last line of stderr.
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
root=$1 pci=$1/sys/bus/pci net=$1/sys/class/net records=$1/run/tdlab/devices instances=$1/sys/kernel/tracing/instances
shift

fail() { echo "$*" >&2; exit 1; }
later() { echo "$*" >&2; exit 75; }
# tee, for it says what the kernel answered.
put() { printf '%s\n' "$1" | tee "$2" 2>&1 >/dev/null | { read -r said && fail "$1 into $2: ${said##*: }"; true; } || exit 1; }
driver_of() { readlink "$pci/devices/$1/driver" | sed 's,.*/,,'; }

# Write down what was before, whole or not at all, and never over another's record.
keep() {
    mkdir -p "$records" && chmod 755 "$records" || fail "$records cannot be made"
    printf '%s\n' "$2" >"$records/.$1.$$" || fail "$records cannot be written to"
    ln "$records/.$1.$$" "$records/$1" 2>/dev/null
    kept=$?
    rm -f "$records/.$1.$$"
    [ "$kept" -eq 0 ] || { cat "$records/$1"; exit 76; }
}
# Unbinding what a guest has open would block until it lets go: say so instead. VFs go with their PF.
idle() {
    for device in "$pci/devices/$1" "$pci/devices/$1"/virtfn*; do
        group=$(readlink "$device/iommu_group") || continue
        ls -l "$root"/proc/[0-9]*/fd 2>/dev/null | grep -q "/dev/vfio/\(noiommu-\)\{0,1\}${group##*/}\$" &&
            later "${device##*/} is still held by a guest"
    done
    return 0
}
# bind ADDRESS DRIVER OVERRIDE: the override makes any driver take the device, also a VF while probing is off.
bind() {
    device=$pci/devices/$1 now=$(driver_of "$1") override=$3
    [ "$override" != - ] || override=
    if [ "${now:--}" != "$2" ]; then
        [ -z "$now" ] || put "$1" "$device/driver/unbind"
        if [ "$2" != - ]; then
            [ -d "$pci/drivers/$2" ] || modprobe "$2" || fail "this kernel has no driver $2"
            put "$2" "$device/driver_override"
            put "$1" "$pci/drivers/$2/bind"
        fi
    fi
    put "$override" "$device/driver_override"
}
is_bound() {
    now=$(driver_of "$1")
    [ "${now:--}" = "$2" ] || fail "$1 has driver ${now:-none}, not $2, after it was bound"
}
# trace GUEST: its vCPUs' exits by reason, in an instance of the kernel's tracing that is nobody else's. A trigger
# alone fills no buffer: the kernel only adds one to a reason's count.
trace() {
    vcpus=
    pid=$(cat "$root/run/libvirt/qemu/$1.pid") || fail "libvirt runs no guest $1"
    for thread in "$root/proc/$pid/task"/*; do
        case $(cat "$thread/comm") in "CPU "*/KVM) vcpus="$vcpus||common_pid==${thread##*/}" ;; esac
    done
    [ -n "$vcpus" ] || fail "$1 has no vCPU under KVM"
    mkdir -p "$instances/$1" || fail "$instances/$1 cannot be made"
    put "hist:keys=isa,exit_reason if ${vcpus#||}" "$instances/$1/events/kvm/kvm_exit/trigger"
}

# One script at a time: that of a killed tdlab runs on to its end here, and must not meet the one that undoes it.
mkdir -p "$root/run/tdlab" && exec 9>"$root/run/tdlab/devices.lock" || fail "$root/run/tdlab cannot be written to"
flock -w 40 9 || later "another change is under way"

while [ $# -gt 0 ]; do
    case $1 in
    keep) keep "$2" "$3"; shift 3 ;;
    drop) rm -f "$records/$2"; shift 2 ;;
    # gone PATH RECORD: with the object itself there is nothing left to put back.
    gone) [ -e "$root$2" ] || { rm -f "$records/$3"; exit 0; }; shift 3 ;;
    idle) idle "$2"; shift 2 ;;
    write) put "$3" "$root$2"; shift 3 ;;
    bind) bind "$2" "$3" "$4"; shift 4 ;;
    bound) is_bound "$2" "$3"; shift 3 ;;
    # named ADDRESS INTERFACE: udev gives the interface its name a moment after the driver has made it.
    named) [ -e "$pci/devices/$2/net/$3" ] || [ -e "$pci/devices/$2"/virtio*/net/"$3" ] || later "$2 has no $3 yet"; shift 3 ;;
    link) ip link set "$2" "$3" || exit 1; shift 3 ;;
    # address INTERFACE ADDRESS/PREFIX PEER
    address)
        if [ "$4" = - ]; then ip address replace "$3" dev "$2" || exit 1
        else ip address replace "${3%/*}" peer "$4" dev "$2" || exit 1; fi
        shift 4 ;;
    unaddress)
        # It may be gone already: with its interface's link, or by another's hand.
        if [ "$4" = - ]; then ip address delete "$3" dev "$2" 2>/dev/null
        else ip address delete "${3%/*}" peer "$4" dev "$2" 2>/dev/null; fi
        shift 4 ;;
    # module NAME "PARAMETER=VALUE ...": loaded anew, unless it has just these parameters.
    module)
        same=yes
        for word in $3; do
            [ "$(cat "$root/sys/module/$2/parameters/${word%%=*}" 2>/dev/null)" = "${word#*=}" ] || same=no
        done
        if [ "$same" = no ]; then
            users=$(cat "$root/sys/module/$2/refcnt" 2>/dev/null)
            [ "${users:-0}" -eq 0 ] || later "$2 is in use by a guest"
            modprobe -r "$2" || later "$2 cannot be unloaded"
            # shellcheck disable=SC2086 # each word is a parameter
            modprobe "$2" $3 || fail "$2 cannot be loaded with $3"
        fi
        shift 3 ;;
    trace) trace "$2"; shift 2 ;;
    # The instance takes its triggers with it. It is busy while somebody reads in it.
    untrace) [ ! -d "$instances/$2" ] || rmdir "$instances/$2" || later "$instances/$2 is in use"; shift 2 ;;
    *) fail "no step $1" ;;
    esac
done
