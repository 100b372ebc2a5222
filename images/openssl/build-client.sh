#!/bin/sh
# build-client.sh WHEELS OUT: put into OUT what the agent imports: pycurl, built here against the libcurl that
# uses OpenSSL (Debian's python3-pycurl uses GnuTLS), pyroute2 as it came, and fewer_calls.so.
set -eu

wheels=$1
out=$2
work=$(mktemp -d)

echo "@step pycurl"
mkdir -p "$out"
tar -xzf "$wheels"/pycurl-*.tar.gz -C "$work" --strip-components=1
(cd "$work" && PYCURL_SSL_LIBRARY=openssl python3 setup.py -q build --build-lib "$out")
python3 -m zipfile -e "$wheels"/pyroute2-*.whl "$out"
# Unchecked: the guest reads them through a file system whose times need not be those of the build.
python3 -m compileall -q --invalidation-mode unchecked-hash "$out"
rm -rf "$work"
gcc -O2 -Wall -Werror -shared -fPIC -o "$out/fewer_calls.so" "$(dirname "$0")/fewer_calls.c"

PYTHONPATH=$out python3 - <<'CHECK'
import pycurl
if "OpenSSL/" not in pycurl.version:
    raise SystemExit(f"pycurl does not use OpenSSL: {pycurl.version}")
print(pycurl.version)
CHECK
