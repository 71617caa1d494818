#define _GNU_SOURCE
#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int ea_region_create(ea_region *region, const char *path, size_t size) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    int error;
    /* A signal interrupts it on tmpfs; a full file system ends this loop with ENOSPC. */
    do error = posix_fallocate(fd, 0, (off_t)size);
    while (error == EINTR);
    if (error != 0) {
        close(fd);
        unlink(path);
        return -error;
    }
    error = ea_region_map(region, fd, size);
    if (error != 0) unlink(path);
    return error;
}

void ea_pool_init(ea_pool *pool) {
    /* Relaxed throughout: the region is published later, by starting its users. */
    for (uint32_t index = 0; index < pool->count; index++) {
        ea_node *node = ea_pool_node(pool, index);
        ea_store(&node->owner, 0, EA_RELAXED);
        ea_store(&node->next, index + 1 < pool->count ? index + 1 : EA_NONE, EA_RELAXED);
        ea_store(&node->depth, pool->count - index, EA_RELAXED);
    }
    ea_store(&pool->shared->top, 0, EA_RELAXED); /* tag 0, node 0 */
}

void ea_mbox_init(ea_mbox *mbox) {
    ea_store(&mbox->shared->head, 0, EA_RELAXED);
    ea_store(&mbox->shared->tail, 0, EA_RELAXED);
    for (uint32_t slot = 0; slot <= mbox->mask; slot++) ea_store(&mbox->shared->slots[slot], 0, EA_RELAXED);
}

bool ea_channel_init(const ea_region *region, const ea_channel_plan *plan) {
    ea_end end;
    if (!ea_end_attach(&end, region, plan, (ea_context){0})) return false;
    ea_pool_init(&end.pool);
    ea_mbox_init(&end.in);
    ea_mbox_init(&end.out);
    ea_store(end.waiting, 0, EA_RELAXED);
    ea_store(end.peer_waiting, 0, EA_RELAXED);
    ea_channel_shared *shared = ea_region_at(region, plan->shared, sizeof *shared);
    ea_store(&shared->epoch, 1, EA_RELAXED);
    ea_store(&shared->met[0], 1, EA_RELAXED);
    ea_store(&shared->met[1], 1, EA_RELAXED);
    return true;
}
