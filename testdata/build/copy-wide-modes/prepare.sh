#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
cd context
chmod 0666 f
chmod 0777 d/run d
chmod 0444 closed/x
chmod 0555 closed
