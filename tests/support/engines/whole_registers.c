/* Preloaded into Debian's ready-made User-mode Linux. Before Linux 6.13 it knows at most 2,696 bytes of a process's
   extended registers (AVX-512 and protection keys). A host whose processor has more, as with AMX (11,008), refuses to set
   less than all of them, and the guest's init is killed before its first instruction. This sets all: what the kernel
   knows, and the rest as it was at first, since no guest may use it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

static char whole[1 << 16] __attribute__((aligned(64)));

long ptrace(enum __ptrace_request request, ...) {
    static long (*next)(enum __ptrace_request, ...);
    static struct iovec all = {whole, 0};
    va_list arguments;

    va_start(arguments, request);
    pid_t process = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);
    if (!next)
        next = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT, "ptrace");
    if (request != PTRACE_SETREGSET || address != (void *)NT_X86_XSTATE)
        return next(request, process, address, data);
    if (!all.iov_len) {
        all.iov_len = sizeof(whole);
        if (next(PTRACE_GETREGSET, process, address, &all))
            return -1;
    }
    struct iovec *given = data;
    if (given->iov_len >= all.iov_len)
        return next(request, process, address, data);
    memcpy(whole, given->iov_base, given->iov_len);
    struct iovec passed = all;
    return next(request, process, address, &passed);
}
