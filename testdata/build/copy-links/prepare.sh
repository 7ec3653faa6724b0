#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
ln -s target context/to-file
ln -s tree context/to-dir
ln -s x context/tree/inner
ln -s /nowhere context/tree/dangling
