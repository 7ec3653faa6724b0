#!/bin/sh
# built
echo "$MODE on $PORT"
