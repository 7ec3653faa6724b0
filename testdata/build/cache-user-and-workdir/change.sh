#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i 's/USER app/USER www-data/' Containerfile
