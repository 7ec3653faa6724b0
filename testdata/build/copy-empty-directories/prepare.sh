#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -m 0711 context/tree/empty
mkdir -m 0700 context/bare
