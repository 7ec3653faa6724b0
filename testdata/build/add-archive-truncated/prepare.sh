#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir t
head -c 300000 /dev/urandom > t/x
tar -C t -czf whole.tgz x
head -c 150000 whole.tgz > context/a.tar.gz
rm -r t whole.tgz
