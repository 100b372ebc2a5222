#!/bin/sh
# build-kernel.sh OUT SERIES FRAGMENT...: build a User-mode Linux kernel from Debian's kernel source package of a series
# (as 6.12; default: the preferred one, or the newest), configured by `tinyconfig` and the fragments. OUT then holds
# linux, config and version. The packages of packages-build.txt are there.
set -eu

out=$1
series=$2
shift 2
preferred=linux-source-7.3
newest_glibc=2.35
jobs=$(nproc)
work=$(mktemp -d)

echo "@step kernel source"
apt-get -q update
sources=$(apt-cache pkgnames linux-source- | grep -E '^linux-source-[0-9.]+$' | sort -V)
if [ "$series" = default ]; then
    source=$(echo "$sources" | grep -Fx "$preferred" || echo "$sources" | tail -n 1)
else
    source=$(echo "$sources" | grep -Fx "linux-source-$series" || true)
fi
if [ -z "$source" ]; then
    have=$(echo "$sources" | sed 's/^linux-source-//' | paste -s -d , - | sed 's/,/, /g')
    echo "@refuse kernel $series cannot be had: Debian's archive has the sources of ${have:-none}" >&2
    exit 1
fi
chmod 755 "$work"
(cd "$work" && apt-get -q download "$source")
# Neither the other architectures' code nor the documentation is read by this build; Kconfig files are.
dpkg-deb --fsys-tarfile "$work/$source"_*.deb | tar -xO "./usr/src/$source.tar.xz" |
    tar -xJ -C "$work" --exclude='*/Documentation/*/*' --exclude='*.dts' --exclude='*.dtsi' --exclude='*/drivers/gpu/*.[ch]'
version=$(dpkg-deb -f "$work/$source"_*.deb Version)
KBUILD_BUILD_TIMESTAMP=$(date -u -r "$work/$source" '+%Y-%m-%d %H:%M:%S UTC')
export KBUILD_BUILD_TIMESTAMP KBUILD_BUILD_USER=pqbed KBUILD_BUILD_HOST=pqbed
rm "$work/$source"_*.deb
cd "$work/$source"

# glibc 2.38 sends callers of strtoul and strtol to symbols that older hosts lack (C23 reads "0b1" as binary, which no
# one needs here). With those names defined in the kernel itself, a kernel built in trixie runs on Debian 12 as well.
cat >> arch/um/os-Linux/util.c <<'STRTO'

extern unsigned long strtoul_c11(const char *, char **, int) __asm__("strtoul");
unsigned long __isoc23_strtoul(const char *text, char **end, int base);
unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
	return strtoul_c11(text, end, base);
}

extern long strtol_c11(const char *, char **, int) __asm__("strtol");
long __isoc23_strtol(const char *text, char **end, int base);
long __isoc23_strtol(const char *text, char **end, int base)
{
	return strtol_c11(text, end, base);
}
STRTO

# TCP counts its timers in jiffies. um fixes 100 a second without a prompt, so no fragment can say 1000.
sed -i '/^config HZ$/,/default/ s/default 100$/default 1000/' arch/um/Kconfig

echo "@step kernel configuration"
make -s ARCH=um tinyconfig
scripts/kconfig/merge_config.sh -m .config "$@"
make -s ARCH=um olddefconfig
cat "$@" | grep -E '^CONFIG_[A-Z0-9_]+=[ym]$' | sort -u > wanted
missing=$(grep -Fxv -f .config wanted || true)
if [ -n "$missing" ]; then
    echo "$source does not take: $missing" >&2
    exit 1
fi

echo "@step kernel"
make ARCH=um -j"$jobs" linux
strip linux

needed=$(objdump -T linux | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
if [ "$(printf '%s\n%s\n' "$needed" "$newest_glibc" | sort -V | tail -n 1)" != "$newest_glibc" ]; then
    echo "the kernel needs glibc $needed: it would not run on hosts older than that" >&2
    exit 1
fi

mkdir -p "$out"
cp linux "$out/linux"
cp .config "$out/config"
echo "$(make -s ARCH=um kernelrelease) ($source $version)" > "$out/version"
rm -rf "$work"
