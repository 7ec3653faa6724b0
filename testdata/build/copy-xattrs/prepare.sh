#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
setfattr -n user.colour -v 'blue' context/f
setfattr -n user.binary -v 0x00ff80 context/f
