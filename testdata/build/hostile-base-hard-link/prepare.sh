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
mkdir -p t/etc
echo x > t/etc/shadow
ln t/etc/shadow t/shadow
tar --owner=0 --group=0 -C t -cf two.tar etc/shadow shadow
# The first entry goes: a header and a block of content.
tail -c +1025 two.tar > three.tar
umoci raw add-layer --image layout:base three.tar
rm -r t two.tar three.tar
