#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir t
truncate -s 65536 t/s
echo end >> t/s
tar --format=gnu -S --owner=0 --group=0 -C t -cf context/a.tar s
rm -r t
