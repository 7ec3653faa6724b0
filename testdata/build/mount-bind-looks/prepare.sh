#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
chmod 0640 context/f
chmod 0711 context/d
ln -s f context/l
