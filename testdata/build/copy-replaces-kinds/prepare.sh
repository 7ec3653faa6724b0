#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
ln -s a context/tree/pipe
ln -s nowhere context/tree/file
