#!/bin/sh
# add-backports.sh [ROOT [SUITE]]: let apt see the backports of SUITE in ROOT; without them, of this root's own suite.
# The archive is the one the root already uses; packages from backports are taken only when asked for by name.
set -eu

root=${1:-}
suite=${2:-$(. "$root/etc/os-release" && echo "$VERSION_CODENAME")}
lists=$root/etc/apt/sources.list.d
if ls "$lists"/*-backports.* > /dev/null 2>&1; then
    exit 0
fi
mkdir -p "$lists"
if [ -s "$root/etc/apt/sources.list" ]; then
    grep -E "^deb .* $suite main" "$root/etc/apt/sources.list" | head -n 1 | sed "s/ $suite / $suite-backports /" \
        > "$lists/$suite-backports.list"
else
    # The first stanza of Debian's container images holds the suite and its updates.
    sed -n '1,/^$/p' "$lists/debian.sources" | sed "s/^Suites:.*/Suites: $suite-backports/" \
        > "$lists/$suite-backports.sources"
fi
