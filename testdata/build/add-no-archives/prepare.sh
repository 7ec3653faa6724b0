#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/in && echo x > t/in/x && chmod 2750 t/in
echo text | gzip -n > context/packed.gz
head -c 10240 /dev/zero > context/empty.tar
tar -C t -cf context/dir/in.tar in
rm -r t
