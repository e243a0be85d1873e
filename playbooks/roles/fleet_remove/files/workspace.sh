# Remove a student's workspace, workspace.yaml last: where it is cut, a run that is repeated knows by it what this is.
# usage, in the student's home: sh -c "$(cat workspace.sh)" workspace FOLDER
set -e
find "$1" -mindepth 1 ! -path "$1/workspace.yaml" -delete
rm -rf "$1"
