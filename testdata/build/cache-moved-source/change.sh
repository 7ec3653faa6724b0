#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
mv context/one context/two
sed -i 's,one/,two/,' Containerfile
