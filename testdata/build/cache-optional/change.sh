#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
echo new > context/g
