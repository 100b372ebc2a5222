#!/bin/sh
# settle.sh: the last step of a root that is to be run: an ordinary user, no set-user-id program, no package cache.
set -eu

echo 'pqbed:x:1000:1000::/tmp:/usr/sbin/nologin' >> /etc/passwd
echo 'pqbed:x:1000:' >> /etc/group
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log
