#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
mv context/a context/c
mv context/b context/a
mv context/c context/b
