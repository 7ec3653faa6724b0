#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/in && echo x > t/in/x && chmod 2750 t/in
ln -s x t/in/l
chmod 0644 t/in/x
tar --owner=7 --group=8 --numeric-owner -C t -cf context/a.tar in
rm -r t
