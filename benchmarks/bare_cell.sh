#!/bin/sh
# One cell as a person would measure it by hand: QEMU on a bridge, iperf3 both ways, ping. What tdlab is held against.
# bare_cell.sh KERNEL INITRAMFS ARGUMENTS DEVICE REPEATS   prints "DIRECTION MBIT/S" lines
set -eu
kernel=$1 initramfs=$2 arguments=$3 device=$4 repeats=$5
tap=tdlt$$ bridge=tdlb$$ host=10.207.99.1 guest=10.207.99.10
work=$(mktemp -d)
qemu=
clean() {
    [ -z "$qemu" ] || { kill "$qemu" && wait "$qemu"; } 2>/dev/null || true
    ip link delete "$tap" 2>/dev/null || true
    ip link delete "$bridge" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM

# The same network as the cell's: an isolated bridge with the host's address on it.
ip link add "$bridge" type bridge stp_state 0 forward_delay 0
ip address add "$host/24" dev "$bridge"
ip link set "$bridge" up
ip tuntap add dev "$tap" mode tap
ip link set "$tap" master "$bridge" up
qemu-system-x86_64 -machine q35 -accel tcg -cpu qemu64,svm=off,vmx=off -m 192 -nodefaults -no-user-config -display none \
    -kernel "$kernel" -initrd "$initramfs" -append "$arguments tdlab.ip=$guest/24" \
    -netdev tap,id=net,ifname="$tap",script=no,downscript=no \
    -device "$device,netdev=net,romfile=,addr=0x10" \
    -device virtio-serial-pci -chardev socket,id=agent,path="$work/agent",server=on,wait=off \
    -device virtserialport,chardev=agent,name=org.qemu.guest_agent.0 \
    -object rng-random,id=entropy,filename=/dev/urandom -device virtio-rng-pci,rng=entropy &
qemu=$!

until ping -n -q -c 1 -W 1 "$guest" >/dev/null 2>&1; do :; done
# The server is busy for a moment after each test, and iperf3 says so with status 0.
transfer() {
    until iperf3 -J -c "$guest" -t 1 -O 1 -i 1 "$@" >"$work/json" && grep -q sum_received "$work/json"; do
        sleep 0.1
    done
    python3 -c 'import json, sys; print(json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e6)' \
        <"$work/json"
}
for _ in $(seq "$repeats"); do
    echo "to_guest $(transfer)"
    echo "from_guest $(transfer -R)"
    ping -n -i 0.002 -c 100 "$guest" >"$work/ping"
done
