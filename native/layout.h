/* The creator's part: making a region, and laying empty pools, mboxes and channels out in it.
 *
 * Only the host does this. What it has laid out, an enclave checks before each use.
 */
#ifndef EA_LAYOUT_H
#define EA_LAYOUT_H

#include "channel.h"

/* Make a new file of mode 0600 and map it; 0 or a negative errno. Refuses an existing file and
 * reserves every page, so that a full /dev/shm is an error here and not a SIGBUS later. */
int ea_region_create(ea_region *region, const char *path, size_t size);

/* Fill with all nodes; empty. Before anyone else is attached. */
void ea_pool_init(ea_pool *pool);
void ea_mbox_init(ea_mbox *mbox);
/* False if the channel does not fit. */
bool ea_channel_init(const ea_region *region, const ea_channel_plan *plan);

#endif
