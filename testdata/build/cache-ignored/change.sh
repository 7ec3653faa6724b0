#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
echo 2 > context/a.log
echo 3 > context/b.log
