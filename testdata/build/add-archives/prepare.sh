#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/in && echo x > t/in/x && ln t/in/x t/in/y && ln -s x t/in/z && chmod 0700 t && chmod 2750 t/in
tar --owner=1000 --group=33 --numeric-owner -C t -cf context/plain.tar .
gzip -c context/plain.tar > context/packed.tgz
xz -c context/plain.tar > context/packed.xz
rm -r t
