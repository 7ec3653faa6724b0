#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
ln -s dir context/l-dir
ln -s dir/x context/l-file
