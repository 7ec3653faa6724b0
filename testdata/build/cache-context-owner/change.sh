#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
chown 1234:55 context/f
