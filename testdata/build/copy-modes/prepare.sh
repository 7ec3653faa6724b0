#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
chmod 0600 context/a
chmod 0440 context/b
chmod 1777 context/s
chmod 0755 context/run.sh
