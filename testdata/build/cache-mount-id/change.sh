#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i -e '2s/id-a/id-b/' -e '3s/locked/private/' -e '4s,target=/c,target=/d,' Containerfile
