#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/in && echo x > t/in/x && chmod 2750 t/in
tar --owner=0 --group=0 -C t -cf context/a.tar in
ln -s a.tar context/link
rm -r t
