#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir t
echo 1 > t/one
echo 2 > t/two
tar -C t -cf context/a.tar one
tar -C t -cf context/b.tar two
rm -r t
