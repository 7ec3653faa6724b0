#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i -e '2s/id=word/id=other/' -e '3s/id=word/id=word,target=elsewhere/' Containerfile
