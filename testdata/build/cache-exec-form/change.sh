#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
printf '%s\n' 'FROM localhost/tsbuild-test/busybox:1' 'RUN ["/bin/sh", "-c", "echo cache-exec-form"]' > Containerfile
