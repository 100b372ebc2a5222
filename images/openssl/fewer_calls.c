/*
 * The same fetch by libcurl with fewer system calls.
 *
 * Where the kernel is a User-mode Linux in virtual time, a system call costs more than all else that a segment costs,
 * and time passes only while everything waits. Loaded before libcurl (LD_PRELOAD), this library does two things from
 * fewer_calls_begin() to fewer_calls_end():
 *
 * - The rest of a TLS record comes by one call. OpenSSL reads what has come of a record, then asks for exactly what is
 *   left of it, and is told to come again with every segment. Here the kernel waits for the whole rest (MSG_WAITALL).
 *   It takes in and acknowledges each segment as before: tcp_recvmsg_locked() in net/ipv4/tcp.c copies it when it
 *   comes, and calls tcp_cleanup_rbuf() before it waits for the next.
 * - Clocks are read once after each call that may have waited, not some 50 times a fetch. What the readings before the
 *   SYN took is waited for: fetches are to begin at the same phase of the kernel's timers as libcurl's own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define HEADER_BYTES 5
#define NS_PER_S 1000000000LL
/* CLOCK_REALTIME to CLOCK_BOOTTIME; those of CPU time among them are read each time. */
#define CLOCKS 8
/* libcurl 8.21 reads clocks 19 times more before its SYN, at 256 ns each (seen in packets). */
#define BEFORE_SYN_NS (19 * 256)

/* How many reads took the rest of a record, and how many readings of a clock were no system call. */
uint64_t fewer_calls_records;
uint64_t fewer_calls_clocks;

static ssize_t (*next_recv)(int, void *, size_t, int);
static ssize_t (*next_send)(int, const void *, size_t, int);
static int (*next_connect)(int, const struct sockaddr *, socklen_t);
static int (*next_close)(int);
static int (*next_poll)(struct pollfd *, nfds_t, int);
static int (*next_clock_gettime)(clockid_t, struct timespec *);

static int fetching;
static int64_t deadline_ns;
static struct timespec readings[CLOCKS];
static unsigned known;
/* The connection, whether its descriptor blocks by now, and how much is left of its present record. */
static int awaited, watched = -1, blocking;
static size_t left, header_bytes;
static unsigned char header[HEADER_BYTES];

__attribute__((constructor)) static void find_next(void)
{
    next_recv = dlsym(RTLD_NEXT, "recv");
    next_send = dlsym(RTLD_NEXT, "send");
    next_connect = dlsym(RTLD_NEXT, "connect");
    next_close = dlsym(RTLD_NEXT, "close");
    next_poll = dlsym(RTLD_NEXT, "poll");
    next_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
}

static void wait_as_long_as_readings(void)
{
    struct timespec time = {0, BEFORE_SYN_NS};

    prctl(PR_SET_TIMERSLACK, 1);
    nanosleep(&time, NULL);
    prctl(PR_SET_TIMERSLACK, 0); /* as it was */
}

/* A fetch begins. It ends before this time of CLOCK_MONOTONIC; its connection is the next one, or the present one. */
void fewer_calls_begin(int64_t until_ns)
{
    wait_as_long_as_readings();
    fetching = awaited = 1;
    known = 0;
    deadline_ns = until_ns;
}

void fewer_calls_end(void)
{
    fetching = awaited = 0;
}

static int read_clock(clockid_t clock, struct timespec *time)
{
    /* Other libraries' constructors may come before ours. */
    if (next_clock_gettime == NULL)
        find_next();
    return next_clock_gettime(clock, time);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (!fetching || clock < 0 || clock >= CLOCKS || clock == CLOCK_PROCESS_CPUTIME_ID ||
        clock == CLOCK_THREAD_CPUTIME_ID)
        return read_clock(clock, time);
    if (known & 1u << clock) {
        fewer_calls_clocks++;
    } else {
        if (read_clock(clock, &readings[clock]) != 0)
            return -1;
        known |= 1u << clock;
    }
    *time = readings[clock];
    return 0;
}

int poll(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
    int ready = next_poll(descriptors, count, timeout_ms);

    known = 0;
    return ready;
}

/* What poll() is in programs that are compiled with _FORTIFY_SOURCE. */
int __poll_chk(struct pollfd *descriptors, nfds_t count, int timeout_ms, size_t room)
{
    if (room / sizeof *descriptors < count)
        __builtin_trap();
    return poll(descriptors, count, timeout_ms);
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    int type = 0;
    socklen_t type_length = sizeof type;

    if (awaited && address->sa_family != AF_UNSPEC &&
        getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_length) == 0 && type == SOCK_STREAM) {
        awaited = 0;
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
    int whole = fetching && descriptor == watched && left > 0 && length == left;

    if (whole) {
        int64_t rest = rest_ns();
        /* Not to the end: the kernel's timer wheel rounds up by an eighth. libcurl's own timer, which is exact, takes
         * over. */
        whole = rest >= NS_PER_S / 10;
        if (whole)
            wait_at_most(descriptor, rest - rest / 6);
    }
    if (whole)
        flags |= MSG_WAITALL;
    else if (descriptor == watched && blocking)
        flags |= MSG_DONTWAIT;
    got = next_recv(descriptor, buffer, length, flags);
    if (whole)
        known = 0;
    if (descriptor == watched && got > 0) {
        fewer_calls_records += whole && (size_t)got == length;
        follow(buffer, got);
    }
    return got;
}
