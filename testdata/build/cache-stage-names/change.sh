#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i -e 's/AS one/AS two/' -e 's/from=one/from=0/' Containerfile
