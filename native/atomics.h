/* The one file that names atomic operations.
 *
 * Every access to a word that another process may change goes through these macros, so
 * that the same code can also run under the interleaving model (tests/model.h): with
 * its EA_STEP (tests/step.h) each operation first gives a seeded scheduler the chance to run another
 * thread, or to kill this one, exactly where real processes can interleave.
 *
 * Orderings are written out at every use and justified there. We use no fences: the two
 * places that need store-load order (see wait.h) get it from sequentially consistent
 * operations, which cost nothing more on x86-64 than the compare-and-swaps they replace.
 */
#ifndef EA_ATOMICS_H
#define EA_ATOMICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic uint32_t ea_a32;
typedef _Atomic uint64_t ea_a64;

#ifndef EA_STEP
#define EA_STEP() ((void)0)
#endif

#define EA_RELAXED memory_order_relaxed
#define EA_ACQUIRE memory_order_acquire
#define EA_RELEASE memory_order_release
#define EA_ACQ_REL memory_order_acq_rel
#define EA_SEQ_CST memory_order_seq_cst

#define ea_load(word, order) (EA_STEP(), atomic_load_explicit((word), (order)))
#define ea_store(word, value, order) (EA_STEP(), atomic_store_explicit((word), (value), (order)))
#define ea_add(word, value, order) (EA_STEP(), atomic_fetch_add_explicit((word), (value), (order)))
#define ea_swap(word, value, order) (EA_STEP(), atomic_exchange_explicit((word), (value), (order)))
/* On failure the expected value is re-read by the caller's loop, so failure needs no order. */
#define ea_cas(word, expected, desired, order) \
    (EA_STEP(), atomic_compare_exchange_strong_explicit((word), (expected), (desired), (order), EA_RELAXED))

/* Exactly one fetch of a plain word that a hostile host may be rewriting. */
#define ea_fetch(word) (*(const volatile __typeof__(word) *)&(word))

static inline void ea_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

#endif
