# Unpack a student's workspace beside its place, and give it its name when it is whole: where a full disk or a
# kill cuts it, there is nothing in the way of another try.
# usage, in the student's home: sh -c "$(cat unpack.sh)" unpack ARCHIVE FOLDER
set -e
beside=.tdlab-new
rm -rf $beside
trap 'rm -rf $beside' EXIT
mkdir $beside
tar --extract --gzip --directory $beside --file "$1"
mkdir -p "$(dirname "$2")"
mv -T "$beside/$2" "$2"
