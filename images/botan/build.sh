#!/bin/sh
# build.sh OUT: put into OUT what this stack runs: one program. The distribution's Botan is linked into it, since its
# updates may change the library's name under a root that was made before.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$1

echo "@step botan"
mkdir -p "$out"
# shellcheck disable=SC2046
g++ -std=c++20 -O2 -Wall -Wextra -Werror -static "$here"/src/*.cpp -o "$out/tls" \
    $(pkg-config --static --cflags botan-3) -lbotan-3 -pthread
strip "$out/tls"
"$out/tls" probe
