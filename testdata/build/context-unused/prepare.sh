#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
ln -s loop context/loop
mkfifo context/pipe
mkdir -m 0 context/closed
