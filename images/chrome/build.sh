#!/bin/sh
# build.sh OUT: put into OUT what the client of this stack imports, from the wheel that the host has fetched.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$1/files
mkdir -p "$out"
python3 -m zipfile -e "$here"/wheels/curl_cffi-*.whl "$out"
rm -rf "$out/curl_cffi/cli"
# Unchecked: the guest reads them through a file system whose times need not be those of the build.
python3 -m compileall -q --invalidation-mode unchecked-hash "$out"
