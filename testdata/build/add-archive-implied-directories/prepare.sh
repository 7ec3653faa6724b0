#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/deep/er
chmod 0700 t/deep t/deep/er
echo x > t/deep/er/x
chmod 0600 t/deep/er/x
tar --owner=7 --group=8 --numeric-owner -C t -cf context/a.tar deep/er/x
rm -r t
