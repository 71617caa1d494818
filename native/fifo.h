/* A first-in-first-out of bytes that lie in one piece, and grow as they must. */
#ifndef EA_FIFO_H
#define EA_FIFO_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint8_t *data;
    size_t start, end, size;
} ea_fifo;

static inline size_t ea_fifo_length(const ea_fifo *fifo) { return fifo->end - fifo->start; }
static inline uint8_t *ea_fifo_first(const ea_fifo *fifo) { return fifo->data + fifo->start; }

/* Room for so many bytes at the end, which count once `end` is moved; NULL: no memory. */
static inline uint8_t *ea_fifo_room(ea_fifo *fifo, size_t bytes) {
    size_t length = ea_fifo_length(fifo);
    if (fifo->data != NULL && fifo->end + bytes <= fifo->size) return fifo->data + fifo->end;
    if (fifo->data != NULL && length + bytes <= fifo->size / 2) {
        memmove(fifo->data, fifo->data + fifo->start, length);
    } else {
        size_t size = 2 * (length + bytes) < 4096 ? 4096 : 2 * (length + bytes);
        uint8_t *data = malloc(size);
        if (data == NULL) return NULL;
        if (length > 0) memcpy(data, fifo->data + fifo->start, length);
        free(fifo->data);
        fifo->data = data;
        fifo->size = size;
    }
    fifo->start = 0;
    fifo->end = length;
    return fifo->data + length;
}

static inline void ea_fifo_drop(ea_fifo *fifo, size_t bytes) {
    fifo->start += bytes;
    if (fifo->start == fifo->end) fifo->start = fifo->end = 0;
}

static inline void ea_fifo_clear(ea_fifo *fifo) { fifo->start = fifo->end = 0; }

static inline void ea_fifo_free(ea_fifo *fifo) {
    free(fifo->data);
    *fifo = (ea_fifo){0};
}

#endif
