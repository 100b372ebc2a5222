#!/bin/sh
# add-backports.sh: let apt see the backports of the suite this root was made from.
# The archive is the one the root already uses; packages from backports are taken only when asked for by name.
set -eu

. /etc/os-release
suite=$VERSION_CODENAME
if ls /etc/apt/sources.list.d/*-backports.* > /dev/null 2>&1; then
    exit 0
fi
if [ -s /etc/apt/sources.list ]; then
    grep -E "^deb .* $suite main" /etc/apt/sources.list | head -n 1 | sed "s/ $suite / $suite-backports /" \
        > "/etc/apt/sources.list.d/$suite-backports.list"
else
    # The first stanza of Debian's container images holds the suite and its updates.
    sed -n '1,/^$/p' /etc/apt/sources.list.d/debian.sources | sed "s/^Suites:.*/Suites: $suite-backports/" \
        > "/etc/apt/sources.list.d/$suite-backports.sources"
fi
