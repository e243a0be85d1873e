#!/bin/sh
# Become a machine, in namespaces of its own: an overlay over this root that is kept in memory, and an sshd.
# usage: machine.sh SCRATCH SSHD_ROOT NAME MEGABYTES [SEEN]...
# SCRATCH holds authorized_keys; SEEN are folders of this machine's homes that are there too.
set -eu
scratch=$1 sshd=$2 name=$3 size=$4
shift 4
keys=$(cat "$scratch/authorized_keys")

mount -t tmpfs -o "size=${size}m,mode=755" tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
# A copy: a layer may not be part of another one.
cp -a "$sshd" "$scratch/sshd"
mount -t overlay overlay -o "lowerdir=$scratch/sshd:/,upperdir=$scratch/upper,workdir=$scratch/work" "$scratch/root"
cd "$scratch/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount --rbind /dev dev
mount -t tmpfs -o mode=755,size=16m tmpfs run
for folder in root home; do
    mount -t tmpfs -o "mode=$([ $folder = root ] && echo 711 || echo 755),size=${size}m" tmpfs $folder
done
for folder in "$@"; do
    mkdir -p ".$folder"
    mount --bind -o ro "$folder" ".$folder"
done
# What this machine has of tdlab is not a student's.
rm -rf var/lib/tdlab opt/tdlab usr/local/bin/tdlab
mkdir -p .outside
touch .tdlab-machine
pivot_root . .outside
umount --lazy /.outside
rmdir /.outside 2>/dev/null || :

hostname "$name"
ip link set lo up
mkdir -p /run/sshd /etc/ssh /root/.ssh
echo "127.0.0.1 localhost $name" >/etc/hosts
getent passwd sshd >/dev/null || echo 'sshd:x:987:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd
useradd --create-home --shell /bin/sh student
for home in /root /home/student; do
    mkdir -p $home/.ssh
    echo "$keys" >$home/.ssh/authorized_keys
    chmod 700 $home/.ssh
done
# A locked account could not log in by key either.
usermod --password '*' student
chown -R student: /home/student
# Unpacked and not installed, sudo has no configuration; it lets nobody in but root.
printf 'root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n' >/etc/sudoers
printf '@include common-auth\n@include common-account\n' >/etc/pam.d/sudo
mkdir -p /etc/sudoers.d
chmod 440 /etc/sudoers
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/tdlab_host_key
cat >/etc/ssh/tdlab_sshd_config <<'CONFIG'
HostKey /etc/ssh/tdlab_host_key
PidFile /run/sshd/pid
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
MaxStartups 100
UseDNS no
CONFIG
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    /usr/sbin/sshd -D -e -f /etc/ssh/tdlab_sshd_config
