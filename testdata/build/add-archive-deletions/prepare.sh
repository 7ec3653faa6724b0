#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/old/deep
: > t/old/.wh.a
: > t/old/deep/.wh..wh..opq
echo new > t/old/new
tar --owner=0 --group=0 -C t -cf context/whiteouts.tar old
rm -r t
