/* The interleaving model: the real code of the core, run by coroutines in one thread.
 *
 * Built with step.h, every atomic operation first calls ea_model_step. There the model
 * may go on with another coroutine, or kill this one for ever, just as a process can be
 * pre-empted or killed with -9 between any two instructions. What it decides follows from
 * a seed, so every failure can be repeated.
 *
 * It explores interleavings of a sequentially consistent machine. Orderings that are too
 * weak are the business of the prose beside each atomic and of ThreadSanitizer.
 */
#ifndef EA_MODEL_H
#define EA_MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_THREADS = 6 };

typedef enum {
    MODEL_RANDOM = 0,   /* at each step, switch with a probability that the seed chooses */
    MODEL_PRIORITY = 1, /* run the first by priority; few steps change it (Burckhardt et al., PCT, ASPLOS 2010) */
    MODEL_POINTS = 2,   /* switch at the steps of `switch_at` only: to go through them all */
} model_mode;

typedef struct {
    model_mode mode;
    uint64_t seed;
    unsigned kills;        /* at most so many */
    uint64_t length;       /* about how many steps a run takes: where to spread changes and kills */
    unsigned first;        /* MODEL_POINTS: who starts */
    uint64_t switch_at[2]; /* MODEL_POINTS: 0 is never */
    uint64_t kill_at;      /* MODEL_POINTS */
} model_plan;

typedef enum {
    MODEL_ENDED = 0,
    MODEL_STUCK = 1,   /* someone sleeps for ever, though nobody has been killed */
    MODEL_ENDLESS = 2, /* far more steps than any run needs */
} model_end;

typedef void (*model_body)(unsigned self);

void model_begin(const model_plan *plan);
/* Add a coroutine; they count from 0. Only the mortal are ever killed. */
void model_spawn(model_body body, bool mortal);
model_end model_run(void);

/* For bodies that wait in a loop: let the others run first. */
void model_yield(void);
uint32_t model_random(uint32_t limit);
bool model_was_killed(unsigned thread);
/* Whether all coroutines but `self` have ended or been killed. */
bool model_alone(unsigned self);
unsigned model_kills(void);
/* Steps so far: a clock. */
uint64_t model_now(void);

void ea_model_step(void);
/* What wait.c is compiled to call in the place of the kernel. */
long ea_model_syscall(long number, ...);
int ea_model_sched_yield(void);

#endif
