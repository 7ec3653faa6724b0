#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
echo 2 > context/x/other
chmod 0711 context/x/z
