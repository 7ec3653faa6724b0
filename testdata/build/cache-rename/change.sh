#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
mv context/one.txt context/two.txt
mv context/tree/x context/tree/y
