#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
touch -d @1100000000 context/tree/f
touch -d @1100000001 context/tree/sub
