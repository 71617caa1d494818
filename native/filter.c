/* The table of allowed system calls, and the seccomp filter that is generated from it.
 *
 * Raw BPF rather than libseccomp: the table is all that we need of it, and the simulation
 * trusts neither a library nor a rule compiler that it can do without.
 */
#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the filter reads the halves of an argument in little-endian order"
#endif
#if defined(__x86_64__) && defined(__LP64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__LP64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "add this architecture's AUDIT_ARCH value, and check the table against its system calls"
#endif

enum { MOST_CHECKS = 3, MOST_VALUES = 3 };

/* Where the CPU has put the socket of its instructions (eactors/cpu/creation.py). */
enum { CPU_SOCKET = 3 };

/* One argument must, without its `free` bits, be one of `values`. */
typedef struct {
    uint32_t free;
    uint32_t values[MOST_VALUES];
    uint8_t value_count;
    uint8_t argument;
    bool is_long; /* the kernel reads all 64 bits, so the upper half must be zero */
} check;

typedef struct {
    uint32_t number;
    uint8_t check_count;
    const char *name;
    const char *reason;
    check checks[MOST_CHECKS];
} rule;

#define PROT_ALLOWED (PROT_READ | PROT_WRITE)

/* A call is here because sealed Python processes were seen to make it; docs/design/sandbox.md
 * repeats this table and says what happens without each. Recent kernels answer for calls
 * without checks from a bitmap, so the checked ones come first, the most frequent leading. */
static const rule RULES[] = {
    {SYS_futex, 1, "futex", "locks, and sleeping until a message comes; no priority inheritance, no requeueing",
     {{FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, {FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAIT_BITSET}, 3, 1, false}}},
    {SYS_mmap, 3, "mmap", "memory for objects; private and anonymous only, never executable, never over what is mapped",
     {{PROT_ALLOWED, {0}, 1, 2, true},
      {MAP_NORESERVE, {MAP_PRIVATE | MAP_ANONYMOUS}, 1, 3, true},
      {0, {UINT32_MAX}, 1, 4, false}}},
    {SYS_mprotect, 1, "mprotect", "malloc grows a thread's heap by it; never executable",
     {{PROT_ALLOWED, {0}, 1, 2, true}}},
    {SYS_madvise, 1, "madvise", "a thread's heap and a thread that ends give memory back; no other advice",
     {{0, {MADV_DONTNEED}, 1, 2, false}}},
    {SYS_mremap, 1, "mremap", "realloc of a large block; never to an address of the caller's choice",
     {{0, {MREMAP_MAYMOVE}, 1, 3, true}}},
    {SYS_read, 1, "read", "an answer of the CPU: a report, a key, a quote; from descriptor 3 only",
     {{0, {CPU_SOCKET}, 1, 0, false}}},
    {SYS_write, 1, "write", "a request to the CPU; to descriptor 3 only", {{0, {CPU_SOCKET}, 1, 0, false}}},
    {SYS_munmap, 0, "munmap", "freed memory goes back to the machine", {{0}}},
    {SYS_brk, 0, "brk", "the main heap of malloc grows and shrinks", {{0}}},
    {SYS_sched_yield, 0, "sched_yield", "a worker that waits lets others run", {{0}}},
    {SYS_clock_nanosleep, 0, "clock_nanosleep", "time.sleep, and waiting where there is no futex", {{0}}},
    {SYS_clock_gettime, 0, "clock_gettime", "clocks that the vDSO does not serve: CPU time, odd clock sources", {{0}}},
    {SYS_restart_syscall, 0, "restart_syscall", "the kernel resumes a wait by it after a stop and continue", {{0}}},
    {SYS_getrandom, 0, "getrandom", "os.urandom, keys; stands for the RDRAND of a real enclave", {{0}}},
    {SYS_getpid, 0, "getpid", "CPython does not check it: refused, os.getpid() and logging would say -1", {{0}}},
    {SYS_rt_sigreturn, 0, "rt_sigreturn", "the end of a signal handler", {{0}}},
    {SYS_rt_sigprocmask, 0, "rt_sigprocmask", "a thread that ends blocks its signals", {{0}}},
    {SYS_exit, 0, "exit", "a thread ends", {{0}}},
    {SYS_exit_group, 0, "exit_group", "the process ends", {{0}}},
};

enum {
    RULE_COUNT = sizeof RULES / sizeof RULES[0],
    CHECK_SIZE = 4 + MOST_VALUES,
    FILTER_SIZE = 7 + RULE_COUNT * (3 + MOST_CHECKS * CHECK_SIZE),
};

_Static_assert((int)FILTER_SIZE <= (int)EA_FILTER_ROOM, "the table has outgrown EA_FILTER_ROOM");

typedef struct {
    struct sock_filter *code;
    size_t length;
} filter;

static void put(filter *out, uint16_t code, uint32_t operand, size_t if_true, size_t if_false) {
    out->code[out->length++] =
        (struct sock_filter){.code = code, .jt = (uint8_t)if_true, .jf = (uint8_t)if_false, .k = operand};
}

static void put_load(filter *out, size_t offset) { put(out, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }

static void put_answer(filter *out, uint32_t answer) { put(out, BPF_RET | BPF_K, answer, 0, 0); }

/* The instructions that put_check writes. */
static size_t check_length(const check *one) {
    return (one->is_long ? 2u : 0u) + 1 + (one->free != 0) + one->value_count;
}

/* Go on behind this code if the argument is allowed, else `beyond` instructions further. */
static void put_check(filter *out, const check *one, size_t beyond) {
    size_t offset = offsetof(struct seccomp_data, args) + one->argument * sizeof(uint64_t);
    size_t end = out->length + check_length(one);
    if (one->is_long) {
        put_load(out, offset + sizeof(uint32_t));
        put(out, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, end - out->length - 1 + beyond);
    }
    put_load(out, offset);
    if (one->free != 0) put(out, BPF_ALU | BPF_AND | BPF_K, ~one->free, 0, 0);
    for (size_t i = 0; i < one->value_count; i++) {
        size_t rest = end - out->length - 1;
        put(out, BPF_JMP | BPF_JEQ | BPF_K, one->values[i], rest, i + 1 == one->value_count ? beyond : 0);
    }
}

static void put_rule(filter *out, const rule *one) {
    size_t left = 0;
    for (size_t i = 0; i < one->check_count; i++) left += check_length(&one->checks[i]);
    put(out, BPF_JMP | BPF_JEQ | BPF_K, one->number, 0, left + 1 + (one->check_count != 0));
    for (size_t i = 0; i < one->check_count; i++) {
        left -= check_length(&one->checks[i]);
        put_check(out, &one->checks[i], left + 1);
    }
    put_answer(out, SECCOMP_RET_ALLOW);
    /* The accumulator no longer holds the call's number, so a failed check must end here. */
    if (one->check_count != 0) put_answer(out, SECCOMP_RET_ERRNO | EPERM);
}

size_t ea_filter_generate(struct sock_filter code[EA_FILTER_ROOM]) {
    filter made = {.code = code};
    filter *out = &made;
    /* Numbers mean other calls on another architecture, such as int 0x80 on x86-64. */
    put_load(out, offsetof(struct seccomp_data, arch));
    put(out, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    put_answer(out, SECCOMP_RET_KILL_PROCESS);
    put_load(out, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    /* x32 calls come with the same architecture and a bit that no number of the table has;
     * they are refused by name all the same, lest a rule on ranges ever let them in. */
    put(out, BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1);
    put_answer(out, SECCOMP_RET_ERRNO | EPERM);
#endif
    for (size_t i = 0; i < RULE_COUNT; i++) put_rule(out, &RULES[i]);
    put_answer(out, SECCOMP_RET_ERRNO | EPERM);
    return made.length;
}

size_t ea_filter_allowed(const char *names[], const char *reasons[], size_t room) {
    for (size_t i = 0; i < RULE_COUNT && i < room; i++) {
        names[i] = RULES[i].name;
        reasons[i] = RULES[i].reason;
    }
    return RULE_COUNT;
}
