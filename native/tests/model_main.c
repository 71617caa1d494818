/*     model [SEED [COUNT [SCENARIO]]]
 *
 * COUNT random runs, spread over the scenarios (or of the one named), from SEED on; and,
 * unless COUNT is 1, every pair of switches, and of a switch and a kill, of the smallest
 * scenarios. To repeat a failure: model SEED 1 SCENARIO, with the seed that it printed.
 */
#include <inttypes.h>
#include <string.h>

#include "check.h"
#include "model.h"
#include "scenarios.h"

enum { MOST_POINTS = 400 };

static uint64_t run(const scenario *one, const model_plan *plan) {
    model_begin(plan);
    one->open();
    model_end end = model_run();
    CHECK(end != MODEL_STUCK);
    CHECK(end != MODEL_ENDLESS);
    uint64_t length = model_now();
    one->close();
    return length;
}

static void run_seed(const scenario *one, uint64_t seed) {
    snprintf(check_context, sizeof check_context, "model %" PRIu64 " 1 %s", seed, one->name);
    /* Two runs from one seed: the first learns how long the second may be, so that it can
     * spread its changes and kills over all of it, and yet depends on the seed alone. */
    model_plan plan = {.mode = MODEL_RANDOM, .seed = seed};
    plan.length = run(one, &plan);
    plan.kills = one->kills;
    plan.mode = seed % 2 == 0 ? MODEL_RANDOM : MODEL_PRIORITY;
    (void)run(one, &plan);
}

static void run_points(const scenario *one, model_plan *plan) {
    snprintf(check_context, sizeof check_context, "%s: first %u, switch at %" PRIu64 " and %" PRIu64 ", kill at %" PRIu64,
             one->name, plan->first, plan->switch_at[0], plan->switch_at[1], plan->kill_at);
    run(one, plan);
}

/* All pairs of switches; with kills, all pairs of a kill and a switch on either side of it. */
static uint64_t run_every_point(const scenario *one) {
    uint64_t count = 0;
    for (unsigned first = 0; first < 3; first++) {
        model_plan plan = {.mode = MODEL_POINTS, .first = first, .kills = one->kills};
        run_points(one, &plan);
        uint64_t length = model_now() < MOST_POINTS ? model_now() : MOST_POINTS;
        for (uint64_t a = 1; a <= length; a++) {
            for (uint64_t b = 1; b <= length; b++) {
                plan.switch_at[0] = a;
                plan.switch_at[1] = one->kills == 0 ? b : 0;
                plan.kill_at = one->kills == 0 ? 0 : b;
                if (one->kills == 0 && b < a) continue;
                run_points(one, &plan);
                count++;
            }
        }
    }
    return count;
}

static void run_scenario(const scenario *one, uint64_t seed, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) run_seed(one, seed + i);
    uint64_t points = one->every_point && count > 1 ? run_every_point(one) : 0;
    printf("ok %s: %" PRIu64 " seeds from %" PRIu64 ", %" PRIu64 " pairs of points\n", one->name, count, seed, points);
    fflush(stdout);
}

static const scenario *nth_scenario(size_t n) {
    if (n < queue_scenario_count) return &queue_scenarios[n];
    n -= queue_scenario_count;
    return n < channel_scenario_count ? &channel_scenarios[n] : &store_scenarios[n - channel_scenario_count];
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
    const char *name = argc > 3 ? argv[3] : NULL;
    size_t total = queue_scenario_count + channel_scenario_count + store_scenario_count, ran = 0;
    check_watch(600);
    for (size_t i = 0; i < total; i++) {
        const scenario *one = nth_scenario(i);
        if (name != NULL && strcmp(name, one->name) != 0) continue;
        run_scenario(one, seed, name != NULL || count < total ? count : count / total);
        ran++;
    }
    if (ran == 0) return fprintf(stderr, "model: no scenario is called %s\n", name), 2;
    return 0;
}
