#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/old
mknod t/old/a c 0 0
tar --owner=0 --group=0 -C t -cf context/device.tar old
rm -r t
