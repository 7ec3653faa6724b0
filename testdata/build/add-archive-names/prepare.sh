#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
echo x > x
tar -P --transform='s,^,/abs/,' -cf context/a.tar x
tar -P --transform='s,^,./dot/,' -rf context/a.tar x
tar -P --transform='s,^,twice//,' -rf context/a.tar x
