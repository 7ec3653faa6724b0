#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
echo cache-bind two > context/src/f
touch -d @1 context/other/f
echo 2 > context/else
