/*
 * Reads the rest of a TLS record with one system call.
 *
 * OpenSSL reads what has come of a record, then asks for exactly what is left of it, and is told to come again with
 * every segment. Where the kernel is a User-mode Linux, each of these calls costs more than all the rest of a segment.
 * Loaded before libcurl (LD_PRELOAD), this library lets the kernel wait for the whole rest (MSG_WAITALL). The kernel
 * takes in and acknowledges each segment as before: tcp_recvmsg_locked() in net/ipv4/tcp.c copies it when it comes, and
 * calls tcp_cleanup_rbuf() before it waits for the next.
 *
 * It does so on the one connection that was opened last after record_reads_arm(), and not beyond that time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define HEADER_BYTES 5
#define NS_PER_S 1000000000LL

/* How many reads took the rest of a record. */
uint64_t record_reads_whole;

static ssize_t (*next_recv)(int, void *, size_t, int);
static ssize_t (*next_send)(int, const void *, size_t, int);
static int (*next_connect)(int, const struct sockaddr *, socklen_t);
static int (*next_close)(int);

static int64_t deadline_ns;
static int armed;
/* The connection, whether its descriptor blocks by now, and how much is left of its present record. */
static int watched = -1, blocking;
static size_t left, header_bytes;
static unsigned char header[HEADER_BYTES];

__attribute__((constructor)) static void find_next(void)
{
    next_recv = dlsym(RTLD_NEXT, "recv");
    next_send = dlsym(RTLD_NEXT, "send");
    next_connect = dlsym(RTLD_NEXT, "connect");
    next_close = dlsym(RTLD_NEXT, "close");
}

/* Watch the next connection, and the present one, until this time of CLOCK_MONOTONIC. */
void record_reads_arm(int64_t until_ns)
{
    armed = 1;
    deadline_ns = until_ns;
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    int type = 0;
    socklen_t type_length = sizeof type;

    if (armed && address->sa_family != AF_UNSPEC &&
        getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_length) == 0 && type == SOCK_STREAM) {
        armed = 0;
        watched = descriptor;
        blocking = 0;
        left = header_bytes = 0;
    }
    return next_connect(descriptor, address, length);
}

int close(int descriptor)
{
    if (descriptor == watched)
        watched = -1;
    return next_close(descriptor);
}

ssize_t send(int descriptor, const void *buffer, size_t length, int flags)
{
    return next_send(descriptor, buffer, length, descriptor == watched && blocking ? flags | MSG_DONTWAIT : flags);
}

static void follow(const unsigned char *bytes, size_t count)
{
    while (count > 0) {
        if (left > 0) {
            size_t part = count < left ? count : left;
            left -= part;
            bytes += part;
            count -= part;
        } else {
            header[header_bytes++] = *bytes++;
            count--;
            if (header_bytes == HEADER_BYTES) {
                left = (size_t)header[3] << 8 | header[4];
                header_bytes = 0;
            }
        }
    }
}

/* Let reads of the descriptor wait, for so long at most. */
static void wait_at_most(int descriptor, int64_t most_ns)
{
    struct timeval limit = {most_ns / NS_PER_S, most_ns % NS_PER_S / 1000};

    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (!blocking) {
        fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
        blocking = 1;
    }
}

static int64_t rest_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return deadline_ns - (now.tv_sec * NS_PER_S + now.tv_nsec);
}

ssize_t recv(int descriptor, void *buffer, size_t length, int flags)
{
    ssize_t got;
    int whole = descriptor == watched && left > 0 && length == left;

    if (whole) {
        int64_t rest = rest_ns();
        /* Not to the end: the kernel's timer wheel rounds up by an eighth. libcurl's own timer, which is exact, takes over. */
        whole = rest >= NS_PER_S / 10;
        if (whole)
            wait_at_most(descriptor, rest - rest / 6);
    }
    if (whole)
        flags |= MSG_WAITALL;
    else if (descriptor == watched && blocking)
        flags |= MSG_DONTWAIT;
    got = next_recv(descriptor, buffer, length, flags);
    if (descriptor == watched && got > 0) {
        record_reads_whole += whole && (size_t)got == length;
        follow(buffer, got);
    }
    return got;
}
