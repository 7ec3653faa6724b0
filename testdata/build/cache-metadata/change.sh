#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i -e s/a=1/a=2/ -e s/80/81/ -e s,/v,/w, -e s/one/two/ -e s/SIGTERM/SIGINT/ Containerfile
