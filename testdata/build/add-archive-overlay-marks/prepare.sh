#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
mkdir -p t/old
echo new > t/old/new
tar --format=pax --owner=0 --group=0 -C t -cf context/marks.tar \
  --pax-option=SCHILY.xattr.user.overlay.opaque:=y,SCHILY.xattr.user.overlay.metacopy:=,SCHILY.xattr.user.overlay.redirect:=/etc \
  --pax-option=SCHILY.xattr.trusted.overlay.opaque:=y,SCHILY.xattr.user.tsbuild.owner:=7:7,SCHILY.xattr.user.other:=y old
rm -r t
