/* The scenarios that the model runs; each name says what must hold. */
#ifndef EA_SCENARIOS_H
#define EA_SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name;
    void (*open)(void);  /* lay out, and spawn the threads */
    void (*close)(void); /* what must hold at the end */
    unsigned kills;
    bool every_point; /* small enough to go through all pairs of switches and kills */
} scenario;

extern const scenario queue_scenarios[], channel_scenarios[], store_scenarios[];
extern const size_t queue_scenario_count, channel_scenario_count, store_scenario_count;

#endif
