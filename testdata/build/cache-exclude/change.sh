#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
echo 2 > context/a/x.log
sed -i '3s/log/txt/' Containerfile
