#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
cd context
echo 2 > "quo'te\"s"
echo 3 > "$(printf 'new\nline')"
echo 4 > "$(printf 'caf\303\251')"
echo 5 > "$(printf 'latin-\351')"
echo 6 > 'back\slash'
echo 7 > '-dash'
mkdir -p "$(printf '%0100d/%0100d/%0100d' 1 2 3)"
echo 8 > "$(printf '%0100d/%0100d/%0100d/%0200d' 1 2 3 4)"
ln -s "$(printf '%0200d' 5)" long-link
