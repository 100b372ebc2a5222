#!/bin/sh
# configure.sh OUT: put into OUT the configuration that loads the provider beside the default one. Which algorithms
# it then has is asked of OpenSSL when a lane starts; here the build only fails if the provider does not load.
set -eu

out=$1
mkdir -p "$out"
cat > "$out/openssl.cnf" <<CONF
openssl_conf = pqbed
[pqbed]
providers = providers
[providers]
default = default_sect
oqsprovider = oqs_sect
[default_sect]
activate = 1
[oqs_sect]
activate = 1
CONF
OPENSSL_CONF=$out/openssl.cnf openssl list -providers | grep -q oqsprovider
