#!/bin/sh
# Makes what git cannot carry; runs in a copy of this folder.
set -eu
# layer NAME [OPTION…]: the folder NAME as a layer of the image in `layout`.
layer() {
  name=$1
  shift
  tar --format=pax "$@" --owner=0 --group=0 -C "$name" -cf "$name.tar" .
  umoci raw add-layer --image layout:base "$name.tar"
  rm -r "$name" "$name.tar"
}
umoci init --layout layout
umoci new --image layout:base
mkdir -p one/bin one/d one/e one/etc one/tmp
cp /bin/busybox one/bin/busybox
for name in sh ls cat stat mkdir; do ln -s busybox one/bin/$name; done
echo old > one/d/old
echo old > one/e/old
echo secret > one/etc/other
layer one
mkdir -p two/d two/e
echo new > two/d/new
echo new > two/e/new
echo here > two/moved
: > two/owned
layer two \
  --pax-option=SCHILY.xattr.user.overlay.opaque:=y,SCHILY.xattr.trusted.overlay.opaque:=y \
  --pax-option=SCHILY.xattr.user.overlay.redirect:=/etc/other,SCHILY.xattr.trusted.overlay.redirect:=/etc/other \
  --pax-option=SCHILY.xattr.user.overlay.metacopy:=,SCHILY.xattr.user.overlay.origin:=x,SCHILY.xattr.user.overlay.whiteout:=y \
  --pax-option=SCHILY.xattr.user.tsbuild.owner:=1000:1000:c:1:5,SCHILY.xattr.user.other:=y
