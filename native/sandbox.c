/* What a process does to itself to keep an enclave's rules. */
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int ea_sandbox_prepare(pid_t parent) {
    static const struct rlimit NO_CORE = {0, 0};
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -errno;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
    /* A core that is piped to a collector ignores the limit; non-dumpable stops that one. */
    if (setrlimit(RLIMIT_CORE, &NO_CORE) != 0) return -errno;
    return ea_die_with(parent);
}

int ea_die_with(pid_t parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return -errno;
    /* Only now: a launcher that ended before the line above has sent no signal. */
    return getppid() == parent ? 0 : -ESRCH;
}

int ea_sandbox_seal(const void *filter, size_t size) {
    if (size == 0 || size % sizeof(struct sock_filter) != 0 || size / sizeof(struct sock_filter) > BPF_MAXINSNS)
        return -EINVAL;
    struct sock_fprog program = {.len = (unsigned short)(size / sizeof(struct sock_filter)),
                                 .filter = (struct sock_filter *)filter};
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    return result < 0 ? -errno : (int)result;
}
