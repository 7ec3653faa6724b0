#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
echo 2 > context/README.md
echo 3 > context/new
mkdir context/lib
