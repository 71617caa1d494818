#include "link.h"

static void put(uint8_t *at, uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; i--, value >>= 8) at[i] = (uint8_t)value;
}

static uint64_t get(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | at[i];
    return value;
}

/* Where the parts of a header lie. */
enum { TYPE = 0, KIND = 1, ZEROS = 2, CHANNEL = 4, LENGTH = 8, REST = 12, NUMBER = 16, RECEIVED = 24 };

static size_t frame_size(const uint8_t *header) { return EA_LINK_HEADER + (size_t)get(header + LENGTH, 4); }

void ea_link_init(ea_link *link, ea_link_window *windows, uint32_t count) {
    *link = (ea_link){.windows = windows, .count = count};
    for (uint32_t i = 0; i < count; i++) windows[i].limit = windows[i].allowed = windows[i].frames;
}

void ea_link_free(ea_link *link) {
    ea_fifo_free(&link->kept);
    ea_fifo_free(&link->told);
    ea_fifo_free(&link->in);
}

/* ---- sending ---- */

/* Add a frame without its payload; where that goes. */
static uint8_t *add(ea_link *link, ea_fifo *to, ea_link_type type, uint32_t kind, uint32_t channel, size_t length,
                    uint32_t rest, uint64_t number) {
    uint8_t *header = ea_fifo_room(to, EA_LINK_HEADER + length);
    if (header == NULL) return NULL;
    header[TYPE] = (uint8_t)type;
    header[KIND] = (uint8_t)kind;
    put(header + ZEROS, 0, 2);
    put(header + CHANNEL, channel, 4);
    put(header + LENGTH, length, 4);
    put(header + REST, rest, 4);
    put(header + NUMBER, number, 8);
    put(header + RECEIVED, link->expected, 8);
    to->end += EA_LINK_HEADER + length;
    if (link->open) link->reported = link->expected;
    return header + EA_LINK_HEADER;
}

static uint8_t *keep(ea_link *link, ea_link_type type, uint32_t kind, uint32_t channel, size_t length, uint32_t rest) {
    uint8_t *payload = add(link, &link->kept, type, kind, channel, length, rest, link->next);
    if (payload != NULL) link->next++;
    return payload;
}

uint8_t *ea_link_send(ea_link *link, uint32_t window, uint32_t kind, uint32_t rest, size_t length) {
    uint8_t *payload = keep(link, EA_LINK_FRAME, kind, link->windows[window].id, length, rest);
    if (payload != NULL) link->windows[window].sent++;
    return payload;
}

uint8_t *ea_link_say(ea_link *link, size_t length) { return keep(link, EA_LINK_WORD, 0, 0, length, 0); }

static void tell(ea_link *link, ea_link_type type, uint32_t channel, uint64_t number) {
    if (link->open) (void)add(link, &link->told, type, 0, channel, 0, 0, number);
}

void ea_link_acknowledge(ea_link *link) { tell(link, EA_LINK_ACK, 0, 0); }

bool ea_link_write(ea_link *link, ea_fifo *out, size_t most) {
    if (!link->open) return false;
    size_t told = ea_fifo_length(&link->told), from = link->written, length = ea_fifo_length(&link->kept);
    const uint8_t *kept = ea_fifo_first(&link->kept);
    while (link->written < length && link->written - from < most) link->written += frame_size(kept + link->written);
    size_t bytes = told + link->written - from;
    uint8_t *room = bytes == 0 ? NULL : ea_fifo_room(out, bytes);
    if (room == NULL) {
        link->written = from;
        return false;
    }
    if (told > 0) memcpy(room, ea_fifo_first(&link->told), told);
    if (bytes > told) memcpy(room + told, kept + from, bytes - told);
    out->end += bytes;
    ea_fifo_clear(&link->told);
    return true;
}

/* ---- connections ---- */

/* Give up what the peer has. */
static bool forget(ea_link *link, uint64_t received) {
    if (received < link->acked || received > link->next) return false;
    size_t bytes = 0;
    for (; link->acked < received; link->acked++) bytes += frame_size(ea_fifo_first(&link->kept) + bytes);
    ea_fifo_drop(&link->kept, bytes);
    link->written = link->written > bytes ? link->written - bytes : 0;
    return true;
}

bool ea_link_open(ea_link *link, uint64_t received) {
    ea_link_lost(link);
    if (!forget(link, received)) return false;
    link->open = true;
    link->written = 0;
    link->reported = link->expected; /* our hello has said so */
    for (uint32_t i = 0; i < link->count; i++)
        if (link->windows[i].allowed > link->windows[i].frames)
            tell(link, EA_LINK_CREDIT, link->windows[i].id, link->windows[i].allowed);
    return true;
}

void ea_link_lost(ea_link *link) {
    link->open = false;
    ea_fifo_clear(&link->told);
    ea_fifo_clear(&link->in);
}

/* ---- receiving ---- */

uint8_t *ea_link_room(ea_link *link, size_t bytes) { return ea_fifo_room(&link->in, bytes); }
void ea_link_came(ea_link *link, size_t bytes) { link->in.end += bytes; }

static ea_link_event wrong(ea_link *link, const char *why) {
    link->wrong = why;
    return (ea_link_event){.type = EA_LINK_WRONG};
}

static uint32_t window_of(const ea_link *link, uint32_t channel) {
    uint32_t i = 0;
    while (i < link->count && link->windows[i].id != channel) i++;
    return i;
}

void ea_link_taken(ea_link *link, uint32_t window) {
    ea_link_window *at = &link->windows[window];
    if (++at->taken * 2 < at->frames) return;
    at->allowed += at->taken;
    at->taken = 0;
    tell(link, EA_LINK_CREDIT, at->id, at->allowed);
}

ea_link_event ea_link_next(ea_link *link) {
    while (ea_fifo_length(&link->in) >= EA_LINK_HEADER) {
        const uint8_t *header = ea_fifo_first(&link->in);
        uint64_t number = get(header + NUMBER, 8);
        ea_link_event event = {
            .type = (ea_link_type)header[TYPE],
            .window = window_of(link, (uint32_t)get(header + CHANNEL, 4)),
            .kind = header[KIND],
            .rest = (uint32_t)get(header + REST, 4),
            .payload = header + EA_LINK_HEADER,
            .length = (size_t)get(header + LENGTH, 4),
        };
        bool numbered = event.type == EA_LINK_FRAME || event.type == EA_LINK_WORD;
        bool of_channel = event.type == EA_LINK_FRAME || event.type == EA_LINK_CREDIT;
        if (event.type < EA_LINK_FRAME || event.type > EA_LINK_ACK || get(header + ZEROS, 2) != 0)
            return wrong(link, "what is no frame");
        if (of_channel && event.window == link->count) return wrong(link, "a frame of no channel between the two");
        size_t most = event.type == EA_LINK_FRAME  ? link->windows[event.window].payload
                      : event.type == EA_LINK_WORD ? EA_LINK_WORD_MOST
                                                   : 0;
        if (event.length > most) return wrong(link, "a frame that is too long");
        if (ea_fifo_length(&link->in) < EA_LINK_HEADER + event.length) break;
        if (numbered && number != link->expected) return wrong(link, "another frame than the next one");
        uint64_t received = get(header + RECEIVED, 8);
        /* One that was kept through a break says what had come before it. */
        if (received > link->acked && !forget(link, received)) return wrong(link, "that it has what was never sent");
        link->expected += numbered;
        ea_link_window *at = &link->windows[of_channel ? event.window : 0];
        if (event.type == EA_LINK_FRAME && ++at->got > at->allowed) return wrong(link, "more frames than there is room for");
        if (event.type == EA_LINK_CREDIT && number > at->limit) {
            at->limit = number;
            link->credited = true;
        }
        /* The bytes stay where they are until the caller has looked at them. */
        link->in.start += EA_LINK_HEADER + event.length;
        if (numbered) return event;
    }
    if (ea_fifo_length(&link->in) == 0) ea_fifo_clear(&link->in);
    if (link->expected - link->reported >= EA_LINK_ACK_EVERY) ea_link_acknowledge(link);
    return (ea_link_event){.type = EA_LINK_NOTHING};
}
