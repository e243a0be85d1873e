# Say what a machine has, a line a fact; nothing is changed, and no Python is needed. One script, run by one
# command: each of Ansible's modules costs a round trip and a Python's start.
# usage: sh -c "$(cat look.sh)" look LAB [ACCOUNT:SEAT:FOLDER]...
lab=$1
shift
echo "look 1"
echo "clock $(date +%s)"
place=/opt
[ ! -d /opt/tdlab ] || place=/opt/tdlab
df -Pk "$place" | awk 'NR == 2 { print "free", $4 }'
# Writing is what a full, a read-only or a broken disk refuses.
if [ -w "$place" ]; then echo "may-write"; fi
if [ -r /etc/os-release ]; then (. /etc/os-release && echo "distribution ${ID:-unknown} ${VERSION_ID:-0}"); fi
for program in python3 rsync tar gzip ssh-keygen; do
    ! command -v "$program" >/dev/null || echo "program $program"
done
# It is given nothing to read: where ssh keeps standard input open, what reads it never ends.
echo "python $(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null </dev/null)"
! grep -qEw 'vmx|svm' /proc/cpuinfo || echo "virtualisation"
[ ! -c /dev/kvm ] || echo "kvm"
stamp=/var/lib/tdlab/lab_host.json
[ ! -r $stamp ] || sed -n 's/.*"role": "\([0-9a-f]*\)".*/lab-host \1/p' $stamp
! grep -qs '"controller": true' $stamp || echo "lab-host-sets-up"
if cd /opt/tdlab 2>/dev/null; then
    [ ! -d objects ] || echo "folder"
    # All that a removal that was cut has left; a file system of its own stays.
    [ -z "$(find . -maxdepth 0 -empty)" ] || mountpoint -q . || echo "empty-folder"
    for one in objects/* trees/* tool labs/* images/* python/* relay.pid; do
        if [ -e "$one" ] || [ -L "$one" ]; then echo "holds $one"; fi
    done
    [ ! -e relay.pid ] || sed -n 's/^# lab /relay /p' relay.conf
    for tree in trees/*; do
        [ -f "$tree/.complete" ] || continue
        (cd "$tree" && sha256sum --check --quiet --strict .complete) >/dev/null 2>&1 || continue
        echo "tree ${tree#trees/} $(sha256sum <"$tree/.complete" | cut -d' ' -f1)"
    done
    for link in tool labs/* images/* python/*; do
        [ ! -L "$link" ] || echo "link $link $(readlink "$link")"
    done
    for record in objects/record-*.json; do
        [ ! -f "$record" ] || echo "record ${record#objects/} $(sha256sum <"$record" | cut -d' ' -f1)"
    done
fi
command=/usr/local/bin/tdlab
if [ -L $command ]; then echo "command $(readlink $command)"; elif [ -e $command ]; then echo "other-command"; fi
for seat in "$@"; do
    account=${seat%%:*} rest=${seat#*:}
    name=${rest%%:*} folder=${rest#*:}
    home=$(getent passwd "$account" | cut -d: -f6)
    [ -n "$home" ] || { echo "no-account $account"; continue; }
    echo "home $account $home"
    groups=" $(id -nG "$account") "
    case $groups in *" libvirt "*) case $groups in *" kvm "*) echo "lab-host-user $account" ;; esac ;; esac
    place=$home/$folder
    if [ -f "$place/workspace.yaml" ]; then
        # Students write these: of each file one line, and no name that holds one, or they would speak for others.
        echo "seat $name $(sed -n '/^lab: /{s///p;q}' "$place/workspace.yaml") $(sed -n '/^nonce: "/{s///;s/".*//p;q}' "$place/workspace.yaml")"
        # What is unpacked has no date; what is written has one.
        [ -n "$(find "$place" -type f -newermt @1 -print -quit)" ] || echo "untouched $name"
        find "$place/submissions" -maxdepth 1 -type f -name '*.zip' ! -name '*[[:cntrl:]]*' -size -32M -printf '%f\n' 2>/dev/null |
            sort -V | tail -n 50 | sed "s/^/archive $name /"
        echo "evidence $name $(find "$place/evidence" -type f 2>/dev/null | wc -l)"
        echo "written $name $(stat -c %Y "$place/answers.yaml" 2>/dev/null || echo 0)"
    elif [ -n "$(find "$place" -maxdepth 0 -type d -empty 2>/dev/null)" ]; then
        echo "empty-seat $name"
    elif [ -e "$place" ]; then
        echo "in-the-way $name"
    fi
    key=$home/.local/state/tdlab/keys/student.pub
    # A full disk leaves an empty one.
    [ ! -f "${key%.pub}" ] || [ -s "${key%.pub}" ] || { echo "empty-key $name"; continue; }
    # A pipe would be waited for.
    [ ! -f "$key" ] || [ ! -r "$key" ] || { echo "has-key $name"; echo "key $name $(head -c 400 "$key" | head -n 1)"; }
done
echo "end"
