#!/bin/sh
# build.sh OUT: put into OUT what this stack runs: one program, linked to the distribution's Botan.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$1

echo "@step botan"
mkdir -p "$out"
# shellcheck disable=SC2046
g++ -std=c++20 -O2 -Wall -Wextra -Werror "$here"/src/*.cpp -o "$out/tls" $(pkg-config --cflags --libs botan-3) -pthread
"$out/tls" probe
