/* How many nodes are in a pool or an mbox: for those who look at one, not for those who use it. */
#ifndef EA_LENGTH_H
#define EA_LENGTH_H

#include "mbox.h"

/* A moment's count; exact when nobody else is at work. */
uint32_t ea_pool_length(const ea_pool *pool);
uint32_t ea_mbox_length(const ea_mbox *mbox);

#endif
