#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <string.h>

char check_context[160];

_Noreturn void check_failed(const char *file, int line, const char *condition) {
    fflush(stdout);
    fprintf(stderr, "%s:%d: failed: %s\n  in %s\n", file, line, condition, check_context);
    fflush(stderr);
    /* Not exit: a forked child must not flush its parent's buffers or run its handlers. */
    _exit(1);
}

static void write_all(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

static void on_signal(int signal) {
    write_all(signal == SIGALRM ? "hangs\n  in " : "crashed\n  in ");
    write_all(check_context);
    write_all("\n");
    _exit(1);
}

void check_watch(unsigned seconds) {
    signal(SIGALRM, on_signal);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    /* The sanitizers say more about a crash than we can. */
    signal(SIGSEGV, on_signal);
    signal(SIGBUS, on_signal);
#endif
    alarm(seconds);
}

int check_all(const check_test tests[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        snprintf(check_context, sizeof check_context, "%s", tests[i].name);
        tests[i].run();
        printf("ok %s\n", tests[i].name);
        fflush(stdout);
    }
    return 0;
}
