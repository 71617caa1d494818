/* What the model's threads do with nodes and messages, each operation checked against
 * what the books say can have been true at some moment of it.
 *
 * A failed CHECK here means: a node with two holders, a message that came twice or out of
 * order, more nodes in an mbox than its capacity, or an EMPTY or FULL that at no moment of
 * the operation was so.
 */
#ifndef EA_LEDGER_H
#define EA_LEDGER_H

#include "world.h"

enum { LEDGER_EACH = 8 }; /* most messages of one thread */

typedef struct {
    uint32_t nodes, capacity;
    uint32_t filled; /* nodes that lie in the mbox from the start, as messages */
} ledger_size;

extern world ledger_world;

void ledger_open(ledger_size size);

/* Take a node from the pool, give one back. Threads count from 0 as the model's do. */
bool ledger_take(unsigned self, uint32_t *index);
void ledger_give(unsigned self, uint32_t index);
/* Push message `number` (from 0) of this thread. False: full, the node is still held. */
bool ledger_send(unsigned self, uint32_t index, unsigned number);
/* Pop a message. False: empty. */
bool ledger_receive(unsigned self, uint32_t *index);

/* Messages whose push has returned; whose pop has returned. */
unsigned ledger_sent(void);
unsigned ledger_received(void);

/* One attempt to recover what the killed held. */
ea_status ledger_recover(void);
/* After a run: recovery is done at once, nothing is missing, the order was kept. */
void ledger_close(void);

#endif
