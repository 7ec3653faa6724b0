#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
echo both > context/pair/x
ln context/pair/x context/pair/y
