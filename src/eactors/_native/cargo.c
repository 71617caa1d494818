/* Cargo: one message, received or to be sent.
 *
 * Its bytes are either a private bytes object or a node of the connector's channel. */
#include "cargo.h"

#ifndef Py_GIL_DISABLED
/* A worker makes and drops one cargo per message: keep a few. */
enum { FREE_MOST = 16 };
static CargoObject *free_list[FREE_MOST];
static int free_count;
#endif

CargoObject *cargo_new(ConnectorObject *connector) {
    CargoObject *self;
#ifndef Py_GIL_DISABLED
    if (free_count > 0) {
        self = free_list[--free_count];
        (void)PyObject_Init((PyObject *)self, &Cargo_Type);
    } else
#endif
        if ((self = PyObject_New(CargoObject, &Cargo_Type)) == NULL)
        return NULL;
    self->connector = (ConnectorObject *)Py_NewRef((PyObject *)connector);
    self->bytes = NULL;
    self->exports = 0;
    self->node = EA_NONE;
    self->writable = self->spent = false;
    return self;
}

PyObject *cargo_of_bytes(ConnectorObject *connector, PyObject *bytes) {
    CargoObject *self = cargo_new(connector);
    if (self == NULL) {
        Py_DECREF(bytes);
        return NULL;
    }
    self->bytes = bytes;
    self->data = (uint8_t *)PyBytes_AS_STRING(bytes);
    self->length = PyBytes_GET_SIZE(bytes);
    return (PyObject *)self;
}

static void let_go(CargoObject *self) {
    if (self->node != EA_NONE) self->connector->ops->in_place->release(self->connector, self->node);
    self->node = EA_NONE;
    Py_CLEAR(self->bytes);
    self->spent = true;
}

static void cargo_dealloc(CargoObject *self) {
    let_go(self);
    Py_DECREF((PyObject *)self->connector);
#ifndef Py_GIL_DISABLED
    if (free_count < FREE_MOST) {
        free_list[free_count++] = self;
        return;
    }
#endif
    PyObject_Free(self);
}

static bool usable(const CargoObject *self) {
    if (self->spent) PyErr_SetString(PyExc_ValueError, "this cargo has been sent or released");
    return !self->spent;
}

bool cargo_unexported(const CargoObject *self) {
    if (self->exports > 0)
        PyErr_SetString(PyExc_BufferError, "a view of this cargo is still in use; release() it before the cargo goes");
    return self->exports == 0;
}

PyObject *cargo_content(CargoObject *self) {
    if (!usable(self)) return NULL;
    if (self->bytes == NULL) return PyBytes_FromStringAndSize((char *)self->data, self->length);
    if (!self->writable) return Py_NewRef(self->bytes);
    if (!cargo_unexported(self)) return NULL;
    /* Filled by the actor in memory that nobody else knows: it goes as it is. */
    PyObject *bytes = self->bytes;
    self->bytes = NULL;
    self->spent = true;
    return bytes;
}

static PyObject *cargo_data(CargoObject *self, void *unused) {
    if (!usable(self)) return NULL;
    if (self->bytes != NULL && !self->writable) return Py_NewRef(self->bytes);
    return PyBytes_FromStringAndSize((char *)self->data, self->length);
}

static PyObject *cargo_view(CargoObject *self, void *unused) {
    return usable(self) ? PyMemoryView_FromObject((PyObject *)self) : NULL;
}

static PyObject *cargo_message(CargoObject *self, void *unused) {
    PyObject *data = cargo_data(self, NULL);
    if (data == NULL || self->connector->decode == NULL) return data;
    PyObject *message = PyObject_CallOneArg(self->connector->decode, data);
    Py_DECREF(data);
    return message;
}

static PyObject *cargo_release(CargoObject *self, PyObject *unused) {
    if (!cargo_unexported(self)) return NULL;
    let_go(self);
    Py_RETURN_NONE;
}

static PyObject *cargo_enter(CargoObject *self, PyObject *unused) {
    return usable(self) ? Py_NewRef((PyObject *)self) : NULL;
}

static Py_ssize_t cargo_length(CargoObject *self) { return usable(self) ? self->length : -1; }

static int cargo_getbuffer(CargoObject *self, Py_buffer *view, int flags) {
    view->obj = NULL;
    if (!usable(self)) return -1;
    if (PyBuffer_FillInfo(view, (PyObject *)self, self->data, self->length, !self->writable, flags) < 0) return -1;
    self->exports++;
    return 0;
}

static void cargo_releasebuffer(CargoObject *self, Py_buffer *view) { self->exports--; }

static PyMethodDef methods[] = {
    {"release", (PyCFunction)cargo_release, METH_NOARGS,
     "release()\n--\n\nGive the node back now instead of when the cargo is dropped."},
    {"__enter__", (PyCFunction)cargo_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)cargo_release, METH_VARARGS, NULL},
    {0},
};

static PyGetSetDef properties[] = {
    {"data", (getter)cargo_data, NULL, "The message as bytes, in private memory.", NULL},
    {"view", (getter)cargo_view, NULL, "A memoryview of the message where it lies; writable in a created cargo.", NULL},
    {"message", (getter)cargo_message, NULL, "The message decoded as its connector's type; bytes if it names none.", NULL},
    {0},
};

static PySequenceMethods sequence = {.sq_length = (lenfunc)cargo_length};
static PyBufferProcs buffer = {.bf_getbuffer = (getbufferproc)cargo_getbuffer,
                               .bf_releasebuffer = (releasebufferproc)cargo_releasebuffer};

PyTypeObject Cargo_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Cargo",
    .tp_basicsize = sizeof(CargoObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "One message received from, or to be sent on, a connector.",
    .tp_dealloc = (destructor)cargo_dealloc,
    .tp_methods = methods,
    .tp_getset = properties,
    .tp_as_sequence = &sequence,
    .tp_as_buffer = &buffer,
};
