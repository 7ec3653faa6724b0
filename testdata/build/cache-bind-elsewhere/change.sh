#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
touch -d @1 context/src/f
echo 2 > context/else
