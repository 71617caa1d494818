/* Starting an enclave's process as a child of the launcher, not of the CPU that starts it.
 *
 * The launcher can then wait for it, and the kernel ends it with the launcher.
 */
#ifndef EA_SPAWN_H
#define EA_SPAWN_H

#include <sys/types.h>

typedef struct {
    const char *program;
    char *const *arguments;
    char *const *environment;
    const char *folder; /* where it starts */
    int errors;         /* becomes its standard error; the other two lead nowhere */
    int socket;         /* becomes its descriptor 3; it inherits no other */
} ea_spawn_plan;

/* The id of the new process, which is a sibling of this one; or -errno.
 *
 * It leads a session of its own, no signal is blocked or ignored in it.
 */
pid_t ea_spawn(const ea_spawn_plan *plan);

#endif
