#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
cd context
chmod 0640 f
chmod 0750 run
chmod 0700 tree/sub tree/run
chmod 0600 tree/x
chmod 0700 tree
