#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
printf '%s\n' '# new' 'from localhost/tsbuild-test/busybox:1' '' '# more' 'copy f /f' 'run echo cache-comments \' '# within' '  done' > Containerfile
