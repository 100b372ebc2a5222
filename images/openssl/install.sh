#!/bin/sh
# install.sh LIST: install the Debian packages named in LIST, and nothing they merely recommend.
# A file ca.pem beside LIST that is not empty is what apt then trusts for https.
set -eu

list=$1
authorities=$(dirname "$list")/ca.pem
if [ -s "$authorities" ]; then
    echo "Acquire::https::CAInfo \"$authorities\";" > /etc/apt/apt.conf.d/90pqbed-ca
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
xargs apt-get -qy --no-install-recommends install < "$list"
