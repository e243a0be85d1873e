# Remove paths one after the other; of a folder that holds objects/, these last. Where it is cut, or something
# cannot be removed, a run that is repeated knows by them that there is something left.
# usage: sh -c "$(cat remove.sh)" remove PATH...
set -e
for one in "$@"; do
    [ ! -d "$one/objects" ] || find "$one" -mindepth 1 -maxdepth 1 ! -name objects -exec rm -rf {} +
    rm -rf "$one"
done
