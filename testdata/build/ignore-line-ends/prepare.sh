#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
printf '\357\273\277a\r\n  b  \r\n\r\nc d\r\n' > context/.dockerignore
