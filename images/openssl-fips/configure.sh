#!/bin/sh
# configure.sh OUT: put into OUT the configuration that loads the FIPS provider beside the default one and prefers it.
# Without the default one nothing could read a certificate's file; what the FIPS provider lacks comes from there too.
set -eu

out=$1
modules=$(openssl version -m | cut -d'"' -f2)
mkdir -p "$out"
openssl fipsinstall -quiet -module "$modules/fips.so" -out "$out/fipsmodule.cnf"
cat > "$out/openssl.cnf" <<CONF
openssl_conf = pqbed
.include $out/fipsmodule.cnf
[pqbed]
providers = providers
alg_section = algorithms
[providers]
fips = fips_sect
default = default_sect
[default_sect]
activate = 1
[algorithms]
default_properties = ?provider=fips
CONF
chmod 644 "$out/fipsmodule.cnf"
OPENSSL_CONF=$out/openssl.cnf openssl list -providers
