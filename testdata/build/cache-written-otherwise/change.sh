#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i -e 's,f /w/f,./f ./f,' -e 's,tree /w/t,./tree/ t,' Containerfile
