/* Between clone and execve the child makes only raw or async-signal-safe calls: it is a copy
 * of a Python process. What fails there is told through a pipe that a good end closes.
 */
#define _GNU_SOURCE
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STANDARD = 3, SOCKET = 3, WORDS = 4, FIRST_OTHER = 5 };

/* What the child needs, above every number that it puts something in its place. */
typedef struct {
    int nowhere, errors, socket, words;
} descriptors;

static void reset_signals(void) {
    struct sigaction normal = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &normal, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const ea_spawn_plan *plan, descriptors given) {
    int words = given.words;
    if (dup3(words, WORDS, O_CLOEXEC) < 0) goto failed;
    words = WORDS;
    for (int standard = 0; standard < STANDARD; standard++)
        if (dup2(standard == STDERR_FILENO ? given.errors : given.nowhere, standard) < 0) goto failed;
    if (dup2(given.socket, SOCKET) < 0) goto failed;
#ifdef SYS_close_range
    /* Kernels without it: Python has marked every descriptor of its own to close on exec. */
    syscall(SYS_close_range, (unsigned)FIRST_OTHER, ~0u, 0u);
#endif
    reset_signals();
    if (setsid() < 0 || chdir(plan->folder) != 0) goto failed;
    execve(plan->program, plan->arguments, plan->environment);
failed:;
    int error = errno;
    while (write(words, &error, sizeof error) < 0 && errno == EINTR) {}
    _exit(127);
}

/* -1 stays what it is: dup3 or dup2 of it fails in the child with EBADF. */
static int raised(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST_OTHER); }

static pid_t start(const ea_spawn_plan *plan, descriptors given) {
    sigset_t all, before;
    sigfillset(&all);
    /* No handler of the parent's may run in the child. */
    sigprocmask(SIG_SETMASK, &all, &before);
    long child = syscall(SYS_clone, (unsigned long)(CLONE_PARENT | SIGCHLD), 0, 0, 0, 0);
    if (child == 0) become(plan, given);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return child < 0 ? -error : (pid_t)child;
}

pid_t ea_spawn(const ea_spawn_plan *plan) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    descriptors given = {raised(nowhere), raised(plan->errors), raised(plan->socket), raised(ends[1])};
    close(nowhere);
    close(ends[1]);
    pid_t child = start(plan, given);
    for (size_t i = 0; i < sizeof given / sizeof(int); i++) close(((int *)&given)[i]);
    int error = 0;
    ssize_t got = 0;
    if (child > 0)
        while ((got = read(ends[0], &error, sizeof error)) < 0 && errno == EINTR) {}
    close(ends[0]);
    return got > 0 ? -error : child;
}
