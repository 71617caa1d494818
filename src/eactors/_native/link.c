/* Link: one end of the link between two servers, for whoever does the I/O itself. */
#include "parts.h"
#include "span.h"

typedef struct {
    PyObject_HEAD
    ea_link link;
    ea_link_window *windows;
} LinkObject;

int link_windows(PyObject *tuple, ea_link_window **windows, uint32_t *count) {
    *count = (uint32_t)PyTuple_GET_SIZE(tuple);
    *windows = PyMem_Calloc(*count + 1, sizeof **windows);
    if (*windows == NULL) return PyErr_NoMemory(), -1;
    for (uint32_t i = 0; i < *count; i++) {
        ea_link_window *at = &(*windows)[i];
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(tuple, i), "III", &at->id, &at->frames, &at->payload)) return -1;
    }
    return 0;
}

static PyObject *link_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *windows;
    uint32_t count;
    if (!PyArg_ParseTuple(args, "O!", &PyTuple_Type, &windows)) return NULL;
    LinkObject *self = (LinkObject *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    if (link_windows(windows, &self->windows, &count) < 0) return Py_DECREF(self), NULL;
    ea_link_init(&self->link, self->windows, count);
    return (PyObject *)self;
}

/* The window of a channel; -1 and an exception: there is none. */
static int64_t found(LinkObject *self, PyObject *channel) {
    unsigned long id = PyLong_AsUnsignedLong(channel);
    for (uint32_t i = 0; i < self->link.count; i++)
        if (self->windows[i].id == id) return i;
    if (!PyErr_Occurred()) PyErr_Format(PyExc_KeyError, "there is no channel %lu", id);
    return -1;
}

static PyObject *link_open(LinkObject *self, PyObject *received) {
    unsigned long long number = PyLong_AsUnsignedLongLong(received);
    if (PyErr_Occurred()) return NULL;
    return PyBool_FromLong(ea_link_open(&self->link, number));
}

static PyObject *link_lost(LinkObject *self, PyObject *unused) {
    ea_link_lost(&self->link);
    Py_RETURN_NONE;
}

static PyObject *link_may_send(LinkObject *self, PyObject *channel) {
    int64_t window = found(self, channel);
    return window < 0 ? NULL : PyBool_FromLong(ea_link_may_send(&self->link, (uint32_t)window));
}

static PyObject *filled(uint8_t *room, Py_buffer *data) {
    if (room != NULL) memcpy(room, data->buf, (size_t)data->len);
    PyBuffer_Release(data);
    return room == NULL ? PyErr_NoMemory() : Py_NewRef(Py_None);
}

static PyObject *link_send(LinkObject *self, PyObject *args) {
    PyObject *channel;
    unsigned int kind, rest;
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "OIIy*", &channel, &kind, &rest, &data)) return NULL;
    int64_t window = found(self, channel);
    if (window >= 0 && !ea_link_may_send(&self->link, (uint32_t)window)) PyErr_SetString(PyExc_ValueError, "there is no room");
    if (PyErr_Occurred()) return PyBuffer_Release(&data), NULL;
    return filled(ea_link_send(&self->link, (uint32_t)window, kind, rest, (size_t)data.len), &data);
}

static PyObject *link_say(LinkObject *self, PyObject *args) {
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "y*", &data)) return NULL;
    return filled(ea_link_say(&self->link, (size_t)data.len), &data);
}

static PyObject *link_acknowledge(LinkObject *self, PyObject *unused) {
    ea_link_acknowledge(&self->link);
    Py_RETURN_NONE;
}

static PyObject *link_taken(LinkObject *self, PyObject *channel) {
    int64_t window = found(self, channel);
    if (window < 0) return NULL;
    ea_link_taken(&self->link, (uint32_t)window);
    Py_RETURN_NONE;
}

static PyObject *link_data_to_send(LinkObject *self, PyObject *unused) {
    ea_fifo out = {0};
    bool any = ea_link_write(&self->link, &out, SIZE_MAX);
    PyObject *data = PyBytes_FromStringAndSize(any ? (char *)ea_fifo_first(&out) : "", (Py_ssize_t)ea_fifo_length(&out));
    ea_fifo_free(&out);
    return data;
}

static PyObject *as_tuple(const LinkObject *self, const ea_link_event *event) {
    const char *payload = (const char *)event->payload;
    if (event->type == EA_LINK_WORD) return Py_BuildValue("(y#)", payload, (Py_ssize_t)event->length);
    return Py_BuildValue("(IIIy#)", self->windows[event->window].id, event->kind, event->rest, payload, (Py_ssize_t)event->length);
}

static PyObject *link_receive_data(LinkObject *self, PyObject *args) {
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "y*", &data)) return NULL;
    uint8_t *room = ea_link_room(&self->link, (size_t)data.len);
    PyObject *events = filled(room, &data) == NULL ? NULL : PyList_New(0);
    if (events == NULL) return NULL;
    ea_link_came(&self->link, (size_t)data.len);
    ea_link_event event;
    while ((event = ea_link_next(&self->link)).type > EA_LINK_NOTHING) {
        PyObject *item = as_tuple(self, &event);
        int added = item == NULL ? -1 : PyList_Append(events, item);
        Py_XDECREF(item);
        if (added < 0) return Py_DECREF(events), NULL;
    }
    if (event.type == EA_LINK_NOTHING) return events;
    Py_DECREF(events);
    return PyErr_Format(PyExc_ValueError, "%s", self->link.wrong);
}

static PyObject *link_received(LinkObject *self, void *unused) { return PyLong_FromUnsignedLongLong(self->link.expected); }
static PyObject *link_kept(LinkObject *self, void *unused) { return PyLong_FromSize_t(ea_fifo_length(&self->link.kept)); }
static PyObject *link_settled(LinkObject *self, void *unused) { return PyBool_FromLong(ea_fifo_length(&self->link.kept) == 0); }

static void link_dealloc(LinkObject *self) {
    ea_link_free(&self->link);
    PyMem_Free(self->windows);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"open", (PyCFunction)link_open, METH_O,
     "open(received, /)\n--\n\nThere is a connection, and the peer says that it has so many frames; whether that can be."},
    {"lost", (PyCFunction)link_lost, METH_NOARGS, "lost()\n--\n\nThe connection is no more."},
    {"may_send", (PyCFunction)link_may_send, METH_O, "may_send(channel, /)\n--\n\nWhether the peer has room for a frame."},
    {"send", (PyCFunction)link_send, METH_VARARGS, "send(channel, kind, rest, payload, /)\n--\n\nSend a frame."},
    {"say", (PyCFunction)link_say, METH_VARARGS, "say(word, /)\n--\n\nSay something to the other bridge."},
    {"acknowledge", (PyCFunction)link_acknowledge, METH_NOARGS, "acknowledge()\n--\n\nSay what has been received."},
    {"taken", (PyCFunction)link_taken, METH_O, "taken(channel, /)\n--\n\nA received frame is where it was going."},
    {"data_to_send", (PyCFunction)link_data_to_send, METH_NOARGS, "data_to_send()\n--\n\nWhat is to be written now."},
    {"receive_data", (PyCFunction)link_receive_data, METH_VARARGS,
     "receive_data(data, /)\n--\n\nTake what has come: a list of frames (channel, kind, rest, payload) and words (content,).\n\n"
     "Raises:\n    ValueError: The peer does what no peer does."},
    {0},
};

static PyGetSetDef properties[] = {
    {"received", (getter)link_received, NULL, "How many numbered frames have come.", NULL},
    {"kept", (getter)link_kept, NULL, "Bytes that are kept until they are acknowledged.", NULL},
    {"settled", (getter)link_settled, NULL, "Whether the peer has all that was sent.", NULL},
    {0},
};

static PyTypeObject Link_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Link",
    .tp_basicsize = sizeof(LinkObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Link(windows, /)\n--\n\nOne end of a link; a window is (channel, frames at first, bytes in each).",
    .tp_new = link_new,
    .tp_dealloc = (destructor)link_dealloc,
    .tp_methods = methods,
    .tp_getset = properties,
};

int ea_py_add_links(PyObject *module) { return PyModule_AddType(module, &Link_Type); }
