#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
chmod 0711 context/tree/old/deep
chmod 0700 context/tree/old
