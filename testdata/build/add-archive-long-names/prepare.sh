#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
n=$(printf %090d 0 | tr 0 n)
mkdir -p "t/$n/$n/$n"
echo x > "t/$n/$n/$n/x"
ln -s "$(printf %0150d 0 | tr 0 t)" t/l
tar --format=gnu --owner=0 --group=0 -C t -cf context/gnu.tar .
tar --format=pax --owner=0 --group=0 -C t -cf context/pax.tar .
rm -r t
