#!/bin/sh
# build.sh OUT: put into OUT what this stack runs: one program, built with the newest Go that the backports of the suite
# have (from 1.27 on it speaks ML-DSA), offline and without modules.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$1
work=$(mktemp -d)

echo "@step go"
sh "$here/add-backports.sh"
apt-get -q update
. /etc/os-release
DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install "golang-go/$VERSION_CODENAME-backports" \
    "golang-src/$VERSION_CODENAME-backports"
mkdir -p "$out"
cp -r "$here/src" "$work"
cd "$work/src"
HOME=$work GOCACHE=$work/cache GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0 go build -trimpath -o "$out/tls" .
cd /
rm -rf "$work"
"$out/tls" probe
