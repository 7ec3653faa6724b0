#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/in && echo x > t/in/x && chmod 2750 t/in
tar --owner=0 --group=0 -C t -cf context/plain.txt in
gzip -c context/plain.txt > context/gzip.zip
bzip2 -c context/plain.txt > context/bzip2
xz -c context/plain.txt > context/xz.tar.gz
zstd -q -c context/plain.txt > context/zstd.bin
rm -r t
