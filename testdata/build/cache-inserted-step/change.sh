#!/bin/sh
# What happens between the two builds; runs in a copy of this folder.
set -eu
sed -i '2a RUN echo cache-inserted-step > /two' Containerfile
