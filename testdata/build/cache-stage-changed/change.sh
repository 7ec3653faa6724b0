#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
echo cache-stage-changed two > context/a
