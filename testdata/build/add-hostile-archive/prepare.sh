#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir t && ln -s /etc t/way && tar -C t -cf context/evil.tar way && rm t/way && mkdir t/way && echo evil > t/way/motd && tar -C t -rf context/evil.tar way/motd
echo up > up && tar -P -C t --transform='s,^,,' -rf context/evil.tar ../up
rm -r t up
