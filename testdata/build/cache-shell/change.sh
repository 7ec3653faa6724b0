#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i '1a SHELL ["/bin/sh", "-ec"]' Containerfile
