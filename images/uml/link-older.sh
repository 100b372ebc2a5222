#!/bin/sh
# link-older.sh SCRIPT: let build-kernel.sh (SCRIPT, which this changes) link older series as well. um of 6.12 scans with
# sscanf, which glibc 2.38 sends to a symbol that older hosts lack, as it does strtoul. It is a file of its own so that
# the default kernel, which needs none of it, is not built again for it.
set -eu

cat > "$1.sscanf" <<'SSCANF'

#include <stdarg.h>

extern int vsscanf_c99(const char *, const char *, va_list) __asm__("__isoc99_vsscanf");
int __isoc23_sscanf(const char *text, const char *format, ...);
int __isoc23_sscanf(const char *text, const char *format, ...)
{
	va_list arguments;
	int count;

	va_start(arguments, format);
	count = vsscanf_c99(text, format, arguments);
	va_end(arguments);
	return count;
}
SSCANF
# Before the end of the C code that build-kernel.sh adds to um.
sed -i "/^STRTO\$/e cat '$1.sscanf'" "$1"
grep -q vsscanf_c99 "$1"
