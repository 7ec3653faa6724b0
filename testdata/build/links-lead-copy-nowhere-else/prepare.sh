#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/in && echo x > t/in/archive
tar --owner=0 --group=0 -C t -cf context/a.tar in
rm -r t
