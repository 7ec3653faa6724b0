#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i -e 's/1:2/1:3/' -e 's/0640/0600/' -e 's,c /c,c /sea,' -e 's,d/\.\./d,/d,' Containerfile
