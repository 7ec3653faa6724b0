#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i 's,RUN,RUN --mount=type=tmpfs;target=/t,;s/;/,/' Containerfile
