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
layer one
mkdir -p t
ln -s ../../../../../../../tmp t/out
ln -s /tmp t/up
tar --owner=0 --group=0 -C t -cf two.tar out up
rm t/out
mkdir t/out
echo in > t/out/in
tar --owner=0 --group=0 -C t -rf two.tar out/in
umoci raw add-layer --image layout:base two.tar
rm -r t two.tar
