#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
echo 2 > context/a/y
echo 2 > context/a/y.log
