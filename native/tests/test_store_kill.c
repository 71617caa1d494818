/* Real processes that write to one store, some of which are killed with -9 while they do.
 *
 *     test_store_kill [SEED [COUNT [TURNS]]]
 *
 * Four writers, each with keys of its own and all with one counter. A victim, after as many turns as the seed says,
 * starts a timer of some microseconds that sends it SIGKILL, and works on: so it dies at any
 * instruction. The keeper mourns it while the others go on, and then it is started again, with the same number.
 *
 * The account of what was begun and acknowledged is in shared memory too, and survives: of each
 * key the store must have what was acknowledged last, or what was begun after it.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"
#include "storage.h"

enum { WRITERS = 4, KEYS = 12, LIVES = 3, LIMIT = 1 << 12, WATCH_SECONDS = 120, LONGEST_FUSE_NS = 200 * 1000 };
enum { LOST_MOST = 64 }; /* a batch of never-used blocks, and what a commit had replaced and not retired yet */

typedef struct {
    ea_a32 begun, done; /* numbers of values; 0: none */
} key_account;

typedef struct {
    key_account keys[WRITERS][KEYS];
    ea_a32 adds_begun[WRITERS], adds_done[WRITERS];
    ea_a32 go;
} account;

static account *books;
static ea_keeper keeper;
static char path[64];
static uint32_t turns = 3000;

static bool is_deletion(uint32_t number) { return number % 5 == 0; }

static void name_key(char name[24], uint32_t writer, uint32_t key) { (void)snprintf(name, 24, "writer %u key %u", writer, key); }

/* Of one to five blocks. */
static void make_value(char text[1200], uint32_t writer, uint32_t key, uint32_t number) {
    int size = 20 + (int)(number * 37 % 1100);
    memset(text, 'a' + (int)((writer + key + number) % 26), (size_t)size);
    (void)snprintf(text, 1200, "%u", number);
    text[strlen(text)] = '.';
    text[size] = 0;
}

/* --- the processes --- */

static void light_fuse(uint64_t nanoseconds) {
    struct sigevent kill_me = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    struct itimerspec when = {.it_value = {.tv_nsec = (long)nanoseconds}};
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &kill_me, &timer) == 0);
    CHECK(timer_settime(timer, 0, &when, NULL) == 0);
}

static void write_one(ea_store *user, uint32_t writer, uint32_t key) {
    key_account *mine = &books->keys[writer][key];
    uint32_t number = ea_load(&mine->begun, EA_RELAXED) + 1;
    char name[24], text[1200];
    name_key(name, writer, key);
    make_value(text, writer, key, number);
    ea_store(&mine->begun, number, EA_RELEASE);
    ea_store_status status;
    do status = storage_put(user, name, is_deletion(number) ? NULL : text);
    while (status == EA_STORE_FULL);
    CHECK(status == EA_STORE_OK || (status == EA_STORE_ABSENT && is_deletion(number)));
    ea_store(&mine->done, number, EA_RELEASE);
}

static void count_one(ea_store *user, uint32_t writer) {
    int64_t sum;
    ea_store(&books->adds_begun[writer], ea_load(&books->adds_begun[writer], EA_RELAXED) + 1, EA_RELEASE);
    ea_store_status status;
    do status = ea_store_add(user, (const uint8_t *)"sum", 3, 1, &sum);
    while (status == EA_STORE_FULL); /* until the keeper takes the pin away of one who is dead */
    CHECK(status == EA_STORE_OK);
    ea_store(&books->adds_done[writer], ea_load(&books->adds_done[writer], EA_RELAXED) + 1, EA_RELEASE);
}

/* What it, or its former life, has written. */
static void read_one(ea_store *user, const ea_view *view, uint32_t writer, uint32_t key) {
    const key_account *its = &books->keys[writer][key];
    uint32_t done = ea_load(&its->done, EA_ACQUIRE), begun = ea_load(&its->begun, EA_ACQUIRE);
    char name[24], text[1200];
    name_key(name, writer, key);
    bool found = done == 0 && storage_has(user, view, name, NULL);
    for (uint32_t number = done == 0 ? 1 : done; number <= begun && !found; number++) {
        make_value(text, writer, key, number);
        found = storage_has(user, view, name, is_deletion(number) ? NULL : text);
    }
    CHECK(found);
}

static void work(uint32_t writer, uint64_t random, uint32_t fuse_after) {
    ea_store user;
    CHECK(ea_store_attach(&user, keeper.store.header, LIMIT, writer, NULL, false) == EA_STORE_OK);
    for (uint32_t turn = 0; turn < turns; turn++) {
        ea_view view;
        if (turn == fuse_after) light_fuse(1 + check_below(&random, LONGEST_FUSE_NS));
        switch (check_below(&random, 8)) {
        case 0: count_one(&user, writer); break;
        case 1: read_one(&user, NULL, writer, check_below(&random, KEYS)); break;
        case 2:
            CHECK(ea_store_pin(&user, &view) == EA_STORE_OK);
            read_one(&user, &view, writer, check_below(&random, KEYS));
            ea_store_unpin(&user, &view);
            break;
        default: write_one(&user, writer, check_below(&random, KEYS)); break;
        }
    }
    if (fuse_after < turns) raise(SIGKILL); /* also if the machine was quicker than the fuse */
    ea_store_detach(&user);
    _exit(0);
}

static pid_t start(uint32_t writer, uint64_t *random, bool victim) {
    uint64_t its = check_random(random);
    uint32_t fuse_after = victim ? check_below(random, turns) : turns;
    pid_t parent = getpid(), pid = fork();
    CHECK(pid >= 0);
    if (pid > 0) return pid;
    /* No process is left behind, however the parent ends. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    while (ea_load(&books->go, EA_ACQUIRE) == 0) sched_yield();
    work(writer, its, fuse_after);
    _exit(1);
}

/* --- the parent --- */

static void open_keeper(void) {
    bool created;
    ea_store_shape shape = {.limit = LIMIT, .usable = LIMIT};
    int fd = ea_store_file(path, &shape, &created);
    CHECK(fd >= 0 && ea_keeper_open(&keeper, fd, &shape, NULL) == EA_KEEPER_OK);
}

static void close_keeper(bool ok) {
    CHECK(ea_keeper_close(&keeper, ok) == EA_KEEPER_OK);
    CHECK(close(keeper.fd) == 0);
}

/* How many were killed. */
static uint32_t run(uint64_t *random) {
    pid_t pids[WRITERS];
    uint32_t lives[WRITERS] = {0}, kills = 0;
    for (uint32_t i = 0; i < WRITERS; i++) pids[i] = start(i, random, i % 2 == 0);
    ea_store(&books->go, 1, EA_RELEASE);
    for (uint32_t left = WRITERS; left > 0;) {
        int status;
        uint32_t writer = 0, blocks;
        pid_t pid = waitpid(-1, &status, 0);
        while (writer < WRITERS && pids[writer] != pid) writer++;
        CHECK(writer < WRITERS);
        if (WIFEXITED(status)) {
            CHECK(WEXITSTATUS(status) == 0);
            left--;
            continue;
        }
        CHECK(WTERMSIG(status) == SIGKILL);
        kills++;
        CHECK(ea_keeper_mourn(&keeper, writer, &blocks) == EA_KEEPER_OK);
        pids[writer] = start(writer, random, ++lives[writer] < LIVES);
    }
    return kills;
}

static void check_all_keys(void) {
    ea_store user;
    int64_t sum;
    uint32_t begun = 0, done = 0;
    CHECK(ea_store_attach(&user, keeper.store.header, LIMIT, WRITERS, NULL, false) == EA_STORE_OK);
    for (uint32_t writer = 0; writer < WRITERS; writer++) {
        for (uint32_t key = 0; key < KEYS; key++) read_one(&user, NULL, writer, key);
        begun += ea_load(&books->adds_begun[writer], EA_RELAXED);
        done += ea_load(&books->adds_done[writer], EA_RELAXED);
    }
    CHECK(ea_store_add(&user, (const uint8_t *)"sum", 3, 0, &sum) == EA_STORE_OK);
    CHECK(done <= (uint64_t)sum && (uint64_t)sum <= begun);
    ea_store_detach(&user);
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 3;
    if (argc > 3) turns = (uint32_t)strtoul(argv[3], NULL, 10);
    (void)snprintf(path, sizeof path, "/dev/shm/eactors-test-store-kill-%d", (int)getpid());
    books = mmap(NULL, sizeof *books, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(books != MAP_FAILED);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t random = seed + i;
        snprintf(check_context, sizeof check_context, "test_store_kill %" PRIu64 " 1 %" PRIu32, seed + i, turns);
        check_watch(WATCH_SECONDS);
        memset(books, 0, sizeof *books);
        open_keeper();
        uint32_t kills = run(&random);
        storage whole = {.base = (uint8_t *)keeper.store.header, .limit = LIMIT};
        uint32_t lost = storage_lost(&whole);
        CHECK(lost <= kills * LOST_MOST);
        check_all_keys();
        close_keeper(i % 2 == 0);
        open_keeper();
        CHECK(keeper.recovered == (i % 2 != 0));
        whole.base = (uint8_t *)keeper.store.header;
        CHECK(storage_lost(&whole) == 0);
        check_all_keys();
        close_keeper(true);
        CHECK(unlink(path) == 0);
        printf("ok %s: %" PRIu32 " killed, %" PRIu32 " blocks lost until it was closed\n", check_context, kills, lost);
        fflush(stdout);
    }
    return 0;
}
