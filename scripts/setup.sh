#!/bin/sh
# setup.sh [unit|tests]: make .venv with pqbed and its development tools, after installing with apt what the host lacks for that
# (Debian 12, Ubuntu 24.04 and later). Nothing else on the host changes. Runs in a moment when there is nothing to do.
# PQBED_CA_BUNDLE: a PEM file to trust for downloads besides the system's certificates.
set -eu

cd "$(dirname "$0")/.."
stamp=.venv/pqbed-setup

fail() { # WHAT CURE
    printf 'setup: %s\n       %s\n' "$1" "$2" >&2
    exit 3
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" > /dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            command -v "$name"
            return
        fi
    done
}

missing_packages() {
    if [ -z "$python" ]; then
        echo python3
        echo python3-venv
    elif ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
        # Debian keeps ensurepip in a package named after the exact version.
        "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    fi
    [ "$purpose" != unit ] || return 0
    command -v ip > /dev/null || command -v /sbin/ip > /dev/null || echo iproute2
    command -v strace > /dev/null || echo strace
    if [ "$purpose" = tests ]; then browser; fi
    [ "$(uname -m)" = x86_64 ] || return 0
    command -v mmdebstrap > /dev/null || echo mmdebstrap
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo debian-archive-keyring
    command -v gpg > /dev/null || echo gpg # by which mmdebstrap finds the right keyring
    [ "$(id -u)" = 0 ] || command -v newuidmap > /dev/null || echo uidmap
}

browser() { # The tests open reports in it. Elsewhere than in Debian it is no ordinary package.
    command -v chromium > /dev/null || ! grep -q '^ID=debian$' /etc/os-release || echo chromium
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() { # PACKAGE...
    echo "setup: installing with apt: $*"
    command -v apt-get > /dev/null || fail "this host has no apt" "install what answers to: $*"
    [ "$(id -u)" = 0 ] || command -v sudo > /dev/null ||
        fail "installing packages takes root or sudo" "as root: apt-get install $*"
    as_root apt-get -q update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install "$@"
}

trust() {
    [ -n "${PQBED_CA_BUNDLE:-}" ] || return 0
    [ -r "$PQBED_CA_BUNDLE" ] || fail "cannot read $PQBED_CA_BUNDLE" "CA_BUNDLE names a file with certificates (PEM)"
    bundle=$(mktemp)
    trap 'rm -f "$bundle"' EXIT
    cat /etc/ssl/certs/ca-certificates.crt "$PQBED_CA_BUNDLE" > "$bundle" 2> /dev/null || cp "$PQBED_CA_BUNDLE" "$bundle"
    export PIP_CERT="$bundle"
}

purpose=${1:-}
python=$(find_python)
missing=$(missing_packages)
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086  # one word a package
    install_packages $missing
    python=$(find_python)
    [ -n "$python" ] || fail "no Python 3.11 or newer" "install python3.11 or newer (Debian 12 and Ubuntu 24.04 have it)"
fi

inputs=$(cat pyproject.toml scripts/setup.sh | sha256sum | cut -d ' ' -f 1)
[ "$(cat "$stamp" 2> /dev/null)" != "$inputs $python" ] || exit 0

echo "setup: making .venv with $("$python" -V)"
trust
fresh=
grep -q " $python$" "$stamp" 2> /dev/null || fresh=--clear
# shellcheck disable=SC2086  # an option or nothing
"$python" -m venv $fresh .venv
# --group takes pip 25.1.
.venv/bin/python -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1'
.venv/bin/python -m pip install -q --disable-pip-version-check --editable . --group dev
echo "$inputs $python" > "$stamp"
