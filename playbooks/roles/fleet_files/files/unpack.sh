# Unpack an archive below /opt/tdlab, if it is the one that was sent: it may have come by a machine of the room,
# whose students may be root on it, and what is in it runs as root here.
# usage: sh -c "$(cat unpack.sh)" unpack FILE SHA256 [FOLDER]
came=$(sha256sum <"$1" | cut -d' ' -f1)
if [ "$came" != "$2" ]; then
    rm -f "$1"
    echo "what came is not what was sent: ${1##*/}" >&2
    exit 1
fi
exec tar --extract --gzip --no-same-owner --directory "${3:-/opt/tdlab}" --file "$1"
