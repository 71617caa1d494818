/* The type Span: what Python threads call to carry frames between two servers (span.c). */
#include "parts.h"
#include "span.h"

#include <sys/socket.h>

static int attach(SpanObject *self, PyObject *ports, ea_context who) {
    self->ports = PyMem_Calloc((size_t)PyTuple_GET_SIZE(ports) + 1, sizeof *self->ports);
    if (self->ports == NULL) return PyErr_NoMemory(), -1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ports); i++) {
        ea_channel_plan plan = {0};
        int sealed;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(ports, i), "KK(KK)IIIKp", &plan.pool, &plan.shared, &plan.mbox[0], &plan.mbox[1],
                              &plan.capacity, &plan.payload, &plan.side, &plan.peer_bell, &sealed))
            return -1;
        if (!ea_end_attach(&self->ports[i].end, &self->region->region, &plan, who)) {
            PyErr_SetString(PyExc_ValueError, "a channel of a span does not lie inside the region");
            return -1;
        }
        self->ports[i].tag = sealed ? EA_TAG : 0;
    }
    return 0;
}

static PyObject *span_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    RegionObject *region;
    unsigned long long bell, participant;
    ea_context who;
    int spins;
    PyObject *windows, *ports;
    uint32_t count;
    if (!PyArg_ParseTuple(args, "O!KKIiO!O!", &Region_Type, &region, &bell, &participant, &who.id, &spins, &PyTuple_Type, &windows,
                          &PyTuple_Type, &ports))
        return NULL;
    SpanObject *self = (SpanObject *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->region = (RegionObject *)Py_NewRef((PyObject *)region);
    self->fd = -1;
    self->spins = spins;
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->idle, NULL);
    who.shared = ea_region_at(&region->region, participant, sizeof *who.shared);
    self->bell = ea_region_at(&region->region, bell, sizeof *self->bell);
    self->waiter = (ea_waiter){.policy = spins > 0 ? EA_WAIT_ADAPTIVE : EA_WAIT_SLEEP, .futex = true, .counters = who.shared};
    if (who.shared == NULL || self->bell == NULL)
        PyErr_SetString(PyExc_ValueError, "a span does not lie inside the region");
    else if (PyTuple_GET_SIZE(windows) != PyTuple_GET_SIZE(ports))
        PyErr_SetString(PyExc_ValueError, "a span has a window for each port");
    else if (link_windows(windows, &self->windows, &count) == 0 && attach(self, ports, who) == 0)
        ea_link_init(&self->link, self->windows, count);
    if (PyErr_Occurred()) Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *open_on(SpanObject *self, PyObject *args) {
    int fd;
    unsigned long long received;
    if (!PyArg_ParseTuple(args, "iK", &fd, &received)) return NULL;
    pthread_mutex_lock(&self->mutex);
    bool ok = !self->closing && ea_link_open(&self->link, received);
    if (ok) self->fd = fd;
    pthread_mutex_unlock(&self->mutex);
    span_poke(self);
    return PyBool_FromLong(ok);
}

static PyObject *read_word(SpanObject *self, PyObject *argument) {
    int fd = (int)PyLong_AsLong(argument), result;
    if (PyErr_Occurred()) return NULL;
    ea_link_event word = {0};
    Py_BEGIN_ALLOW_THREADS
    result = span_read(self, fd, &word);
    Py_END_ALLOW_THREADS
    if (result < 0) return PyErr_Format(PyExc_ValueError, "%s", self->link.wrong);
    if (self->corrupt != NULL) return ea_raise("RegionCorrupted", NULL, "%s", self->corrupt);
    if (result == 0) Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((const char *)word.payload, (Py_ssize_t)word.length);
}

static PyObject *lost(SpanObject *self, PyObject *unused) {
    Py_BEGIN_ALLOW_THREADS
    pthread_mutex_lock(&self->mutex);
    if (self->fd >= 0) (void)shutdown(self->fd, SHUT_RDWR);
    self->fd = -1;
    ea_link_lost(&self->link);
    /* Nobody may use the number of a descriptor that the caller is about to close. */
    while (self->writing) pthread_cond_wait(&self->idle, &self->mutex);
    pthread_mutex_unlock(&self->mutex);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *cut(SpanObject *self, PyObject *unused) {
    pthread_mutex_lock(&self->mutex);
    if (self->fd >= 0) (void)shutdown(self->fd, SHUT_RDWR);
    pthread_mutex_unlock(&self->mutex);
    Py_RETURN_NONE;
}

static PyObject *write_all(SpanObject *self, PyObject *idle) {
    unsigned long long nanoseconds = PyLong_AsUnsignedLongLong(idle);
    if (PyErr_Occurred()) return NULL;
    Py_BEGIN_ALLOW_THREADS
    span_write(self, nanoseconds);
    Py_END_ALLOW_THREADS
    if (self->corrupt != NULL) return ea_raise("RegionCorrupted", NULL, "%s", self->corrupt);
    Py_RETURN_NONE;
}

static PyObject *say(SpanObject *self, PyObject *args) {
    Py_buffer word;
    if (!PyArg_ParseTuple(args, "y*", &word)) return NULL;
    uint8_t *room = NULL;
    if (word.len <= EA_LINK_WORD_MOST) {
        pthread_mutex_lock(&self->mutex);
        room = ea_link_say(&self->link, (size_t)word.len);
        if (room != NULL) memcpy(room, word.buf, (size_t)word.len);
        pthread_mutex_unlock(&self->mutex);
    }
    PyBuffer_Release(&word);
    span_poke(self);
    return room == NULL ? PyErr_NoMemory() : Py_NewRef(Py_None);
}

static PyObject *close_it(SpanObject *self, PyObject *unused) {
    pthread_mutex_lock(&self->mutex);
    self->closing = true;
    if (self->fd >= 0) (void)shutdown(self->fd, SHUT_RDWR);
    pthread_mutex_unlock(&self->mutex);
    span_poke(self);
    Py_RETURN_NONE;
}

/* What one look at the link tells. */
static PyObject *look(SpanObject *self, void *which) {
    pthread_mutex_lock(&self->mutex);
    bool open = self->link.open, settled = ea_fifo_length(&self->link.kept) == 0;
    unsigned long long received = self->link.expected;
    pthread_mutex_unlock(&self->mutex);
    const char *what = which;
    return what[0] == 'o' ? PyBool_FromLong(open) : what[0] == 's' ? PyBool_FromLong(settled) : PyLong_FromUnsignedLongLong(received);
}

static void span_dealloc(SpanObject *self) {
    for (uint32_t i = 0; i < self->link.count; i++) ea_fifo_free(&self->ports[i].waiting);
    ea_link_free(&self->link);
    PyMem_Free(self->windows);
    PyMem_Free(self->ports);
    pthread_cond_destroy(&self->idle);
    pthread_mutex_destroy(&self->mutex);
    Py_DECREF((PyObject *)self->region);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"open", (PyCFunction)open_on, METH_VARARGS,
     "open(fd, received, /)\n--\n\nUse a connection, whose other end has so many frames; whether that can be."},
    {"read", (PyCFunction)read_word, METH_O,
     "read(fd, /)\n--\n\nRead until there is a word, which it returns, or the connection is over, None.\n\n"
     "Raises:\n    ValueError: The peer does what no peer does.\n    RegionCorrupted: Shared memory holds what it must not."},
    {"lost", (PyCFunction)lost, METH_NOARGS, "lost()\n--\n\nUse the connection no more; afterwards it may be closed."},
    {"cut", (PyCFunction)cut, METH_NOARGS, "cut()\n--\n\nEnd the connection, which the reader then notices."},
    {"write", (PyCFunction)write_all, METH_O,
     "write(idle, /)\n--\n\nWrite until the span is closed; after so many idle nanoseconds, that this end is alive.\n\n"
     "Raises:\n    RegionCorrupted: Shared memory holds what it must not."},
    {"say", (PyCFunction)say, METH_VARARGS, "say(word, /)\n--\n\nSay something to the other bridge."},
    {"close", (PyCFunction)close_it, METH_NOARGS, "close()\n--\n\nLet read() and write() return."},
    {0},
};

static PyGetSetDef properties[] = {
    {"connected", (getter)look, NULL, "Whether there is a connection.", "open"},
    {"settled", (getter)look, NULL, "Whether the peer has all that was sent.", "settled"},
    {"received", (getter)look, NULL, "How many numbered frames have come.", "received"},
    {0},
};

static PyTypeObject Span_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Span",
    .tp_basicsize = sizeof(SpanObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Span(region, bell, participant, participant_id, spins, windows, ports, /)\n--\n\nThe channels to another server.",
    .tp_new = span_new,
    .tp_dealloc = (destructor)span_dealloc,
    .tp_methods = methods,
    .tp_getset = properties,
};

int ea_py_add_bridge(PyObject *module) {
    return ea_py_add_links(module) < 0 || PyModule_AddType(module, &Span_Type) < 0 ? -1 : 0;
}
