#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
cd context
ln -s two one
ln -s three two
ln -s f three
ln -s dir way
ln -s /dir/x absolute
ln -s x dir/l
