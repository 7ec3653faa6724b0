#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir context/tree/t
