/* Taking back what killed participants held.
 *
 * Run by the host, who alone knows that a process is dead. Everyone else keeps working.
 */
#ifndef EA_RECOVER_H
#define EA_RECOVER_H

#include "mbox.h"

typedef struct {
    const ea_participant *const *participants; /* [id - 1]; everyone who may touch the pool */
    const bool *dead;                          /* [id - 1] */
    uint32_t count;
} ea_census;

/* Return to the pool every node that only a dead participant holds. `mboxes` are all that
 * carry nodes of the pool; `marks` is scratch, pool->count bytes. The caller is `who`.
 *
 * EA_BUSY: some node could not be judged because the others moved too much meanwhile;
 * what was sure has been recovered, call again later. */
ea_status ea_recover(ea_pool *pool, ea_mbox *const mboxes[], uint32_t mbox_count, const ea_census *census,
                     const ea_context *who, uint8_t *marks, uint32_t *recovered);

#endif
