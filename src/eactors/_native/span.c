/* Span: what two threads of the host carry between this server and another, without Python.
 *
 * The reader blocks in recv() and gives frames to the actors' mboxes; the writer sleeps at
 * the bell that actors ring, and writes. So each event wakes exactly the thread that has to
 * do something, and none waits for two things at once. What both touch is guarded by a mutex
 * that is never held over a call that may block. */
#include "span.h"

#include <errno.h>
#include <sys/socket.h>

enum { CHUNK = 1 << 18, BATCH = 64 };

/* Where keys are not agreed yet, and where they have been given up, nothing is sealed. */
static uint32_t tag_of(const span_port *at, uint32_t kind) { return kind == EA_DATA || kind == EA_CLOSE ? at->tag : 0; }

static void lock(SpanObject *self) { pthread_mutex_lock(&self->mutex); }
static void unlock(SpanObject *self) { pthread_mutex_unlock(&self->mutex); }

void span_poke(SpanObject *self) {
    ea_store(&self->poked, 1, EA_SEQ_CST);
    ea_bell_ring(self->bell, self->waiter.counters);
}

/* ---- between mboxes and the link ---- */

/* Give a frame to its actor; false: there is no room now. */
static bool push(SpanObject *self, span_port *at, uint32_t kind, uint32_t rest, const uint8_t *payload, size_t length) {
    uint32_t index, tag = tag_of(at, kind);
    ea_status status = ea_end_acquire(&at->end, &index);
    if (status == EA_OK) {
        ea_node *node = ea_pool_node(&at->end.pool, index);
        memcpy(node->payload, payload, length);
        /* A sealed frame without a tag has a length that no connector believes. */
        node->length = (uint32_t)length - tag;
        node->rest = rest;
        node->kind = kind;
        status = ea_end_push(&at->end, index);
        if (status != EA_OK) (void)ea_end_release(&at->end, index);
    }
    if (status == EA_CORRUPT) self->corrupt = "a channel to another server is corrupted";
    return status == EA_OK;
}

typedef struct {
    uint32_t kind, rest;
    size_t length;
} waiting_frame;

static void deliver(SpanObject *self, const ea_link_event *event) {
    span_port *at = &self->ports[event->window];
    if (ea_fifo_length(&at->waiting) == 0 && push(self, at, event->kind, event->rest, event->payload, event->length))
        return ea_link_taken(&self->link, event->window);
    waiting_frame frame = {event->kind, event->rest, event->length};
    uint8_t *room = ea_fifo_room(&at->waiting, sizeof frame + event->length);
    if (room == NULL) {
        self->corrupt = "there is no memory left";
        return;
    }
    memcpy(room, &frame, sizeof frame);
    memcpy(room + sizeof frame, event->payload, event->length);
    at->waiting.end += sizeof frame + event->length;
    ea_store(&self->poked, 1, EA_SEQ_CST); /* so that the writer says that this end waits for room */
}

/* Bring what had to wait. */
static void deliver_waiting(SpanObject *self, uint32_t window) {
    span_port *at = &self->ports[window];
    while (ea_fifo_length(&at->waiting) > 0) {
        waiting_frame frame;
        memcpy(&frame, ea_fifo_first(&at->waiting), sizeof frame);
        if (!push(self, at, frame.kind, frame.rest, ea_fifo_first(&at->waiting) + sizeof frame, frame.length)) return;
        ea_fifo_drop(&at->waiting, sizeof frame + frame.length);
        ea_link_taken(&self->link, window);
    }
}

/* Send what an actor has sent, as far as the peer has room. */
static void collect(SpanObject *self, uint32_t window) {
    span_port *at = &self->ports[window];
    for (int n = 0; n < BATCH && ea_link_may_send(&self->link, window); n++) {
        uint32_t index;
        ea_status status = ea_end_pop(&at->end, &index);
        if (status == EA_CORRUPT) self->corrupt = "a channel to another server is corrupted";
        if (status != EA_OK) return;
        const ea_node *node = ea_pool_node(&at->end.pool, index);
        uint32_t kind = ea_fetch(node->kind), length = ea_fetch(node->length);
        uint64_t size = (uint64_t)length + tag_of(at, kind);
        uint8_t *room = size > at->end.pool.payload ? NULL
                                                    : ea_link_send(&self->link, window, kind, ea_fetch(node->rest), (size_t)size);
        if (room == NULL)
            self->corrupt = "an actor has sent a frame that is longer than its node";
        else
            memcpy(room, node->payload, (size_t)size);
        (void)ea_end_release(&at->end, index);
        if (room == NULL) return;
    }
}

/* ---- the reader ---- */

int span_read(SpanObject *self, int fd, ea_link_event *word) {
    for (;;) {
        lock(self);
        ea_link_event event;
        while ((event = ea_link_next(&self->link)).type == EA_LINK_FRAME && self->corrupt == NULL) deliver(self, &event);
        if (event.type == EA_LINK_WORD) ea_link_acknowledge(&self->link);
        bool poke = ea_fifo_length(&self->link.told) > 0 || self->link.credited || ea_load(&self->poked, EA_RELAXED) != 0;
        self->link.credited = false;
        bool over = self->closing || self->corrupt != NULL;
        uint8_t *room = event.type == EA_LINK_NOTHING && !over ? ea_link_room(&self->link, CHUNK) : NULL;
        unlock(self);
        if (poke) span_poke(self);
        if (event.type == EA_LINK_WORD) return *word = event, 1;
        if (event.type == EA_LINK_WRONG) return -1;
        if (room == NULL) return 0;
        /* Only this thread touches what is not read yet. */
        ssize_t came = -1;
        for (int spin = 0; spin < self->spins && came < 0; spin++) {
            came = recv(fd, room, CHUNK, MSG_DONTWAIT);
            if (came < 0 && errno != EAGAIN) return 0;
        }
        if (came < 0) came = recv(fd, room, CHUNK, 0);
        if (came < 0 && errno == EINTR) came = 0;
        else if (came <= 0) return 0;
        ea_link_came(&self->link, (size_t)came);
    }
}

/* ---- the writer ---- */

static bool opened(const void *what) {
    const SpanObject *self = what;
    if (ea_load(&self->poked, EA_SEQ_CST) != 0) return true;
    for (uint32_t i = 0; i < self->link.count; i++) {
        /* What the writer found out under the mutex; who changes it pokes. */
        const span_port *at = &self->ports[i];
        if (at->reading && ea_end_can_receive(&at->end)) return true;
        if (at->stuck && !ea_mbox_is_full(&at->end.out)) return true;
    }
    return false;
}

static bool send_all(int fd, const ea_fifo *out) {
    for (size_t at = out->start; at < out->end;) {
        ssize_t sent = send(fd, out->data + at, out->end - at, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) return false;
        at += sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

void span_write(SpanObject *self, uint64_t idle_ns) {
    ea_fifo out = {0};
    bool woken = true;
    lock(self);
    while (!self->closing && self->corrupt == NULL) {
        ea_store(&self->poked, 0, EA_SEQ_CST);
        for (uint32_t i = 0; i < self->link.count; i++) {
            collect(self, i);
            deliver_waiting(self, i);
            self->ports[i].reading = ea_link_may_send(&self->link, i);
            self->ports[i].stuck = ea_fifo_length(&self->ports[i].waiting) > 0;
            if (self->ports[i].stuck) ea_end_announce(&self->ports[i].end);
        }
        if (!woken) ea_link_acknowledge(&self->link);
        int fd = self->fd;
        if (fd >= 0 && ea_link_write(&self->link, &out, CHUNK)) {
            self->writing = true;
            unlock(self);
            if (!send_all(fd, &out)) (void)shutdown(fd, SHUT_RDWR); /* the reader notices */
            ea_fifo_clear(&out);
            lock(self);
            self->writing = false;
            pthread_cond_broadcast(&self->idle);
            woken = true;
            continue; /* there may be more */
        }
        unlock(self);
        woken = ea_wait(&self->waiter, self->bell, opened, self, idle_ns);
        lock(self);
    }
    unlock(self);
    ea_fifo_free(&out);
}
