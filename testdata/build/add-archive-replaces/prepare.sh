#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/opt t/etc/motd
echo a file > t/opt/old
echo x > t/etc/motd/x
echo no link > t/opt/link
echo alone > t/opt/pair-1
tar --owner=0 --group=0 -C t -cf context/a.tar opt/old opt/link opt/pair-1 etc/motd
rm -r t
