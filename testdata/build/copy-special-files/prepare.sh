#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkfifo -m 0640 context/pipe
mkdir context/empty
: > context/none
