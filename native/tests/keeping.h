/* A store in a file with its keeper and two users, for tests of the keeper. The file is in /dev/shm, which never waits for a disk. */
#ifndef EA_KEEPING_H
#define EA_KEEPING_H

#include "storage.h"

enum { LIMIT = 1 << 13, USABLE = 1024, SIZE = LIMIT * EA_BLOCK };

extern const uint8_t BOOT[16], NEXT_BOOT[16];
extern char path[64];
extern ea_keeper keeper;
extern ea_store user, other;
/* How often a user had to wait for the keeper. */
extern uint32_t rooms, syncs;

/* The file's name; and its end. */
void begin(void);
void end(void);
/* `boot`: NULL if it does not have to last. */
ea_keeper_status try_open(const uint8_t *boot);
void open_store(const uint8_t *boot);
void attach(ea_store *store, uint32_t owner);
/* Nothing is lost of the store. */
void close_store(void);
/* As if all were killed. */
void abandon(void);
storage memory(void);

/* As a user does who has a keeper: asks it for what is wanted, and tries again. */
void put(ea_store *store, const char *key, const char *value);

#endif
