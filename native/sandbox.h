/* What makes an ordinary process keep an enclave's rules.
 *
 * First ea_sandbox_prepare, while the process still loads its code; then, once its actors
 * are constructed, ea_sandbox_seal: from there on the kernel refuses, with EPERM, every
 * system call but those of one table (filter.c). Nothing undoes either.
 */
#ifndef EA_SANDBOX_H
#define EA_SANDBOX_H

#include <stddef.h>
#include <sys/types.h>

/* Hide this process from others of its user, and bind its life to the launcher's.
 *
 * 0, -ESRCH: the launcher `parent` has already ended, -errno: the kernel refuses.
 *
 * The kernel binds to the *thread* that started this process: a launcher must start its
 * enclaves from a thread that lives as long as they do.
 */
int ea_sandbox_prepare(pid_t parent);

/* Only the last part of that: end when process `parent` does. -ESRCH: it has already. */
int ea_die_with(pid_t parent);

/* Seal all threads of this process with a seccomp filter, `size` bytes of BPF instructions.
 *
 * 0, -errno, or the positive id of a thread that cannot be sealed because it has a filter
 * of its own; then no thread has been sealed.
 */
int ea_sandbox_seal(const void *filter, size_t size);

#endif
