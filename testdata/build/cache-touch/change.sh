#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
touch -d @1 context/f context/tree context/tree/x
