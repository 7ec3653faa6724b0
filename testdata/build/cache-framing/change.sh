#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i -e 's/framing a", "b/framing", "a b/' -e 's/COPY a bc/COPY ab c/' Containerfile
