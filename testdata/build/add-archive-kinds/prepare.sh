#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/empty
echo x > t/x
chmod 6755 t/x
ln t/x t/y
ln -s /nowhere t/l
mkfifo -m 0640 t/pipe
chmod 1777 t/empty
touch -d @1000000000 t/x
touch -d @1000000001 t/empty
tar --owner=0 --group=0 -C t -cf context/a.tar x y l pipe empty
rm -r t
