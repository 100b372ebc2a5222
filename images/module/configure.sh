#!/bin/sh
# configure.sh: put the files of the added stack in whose folder this lies where its stack.toml says they are.
# The build fails if OpenSSL does not load them.
set -eu

here=$(dirname "$0")
name=$(sed -n 's/^name = "\(.*\)"$/\1/p' "$here/stack.toml")
out=/opt/pqbed/added/$name
mkdir -p "$out"
cp "$here/stack.toml" "$here"/files/* "$out/"
chmod 644 "$out"/*
OPENSSL_CONF=$out/openssl.cnf OPENSSL_MODULES=$out LD_LIBRARY_PATH=$out openssl list -providers
