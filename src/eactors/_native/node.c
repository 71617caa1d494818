/* Node: one block of a public pool, held by whoever took it from a pool or an mbox. */
#include "pools.h"

typedef struct {
    PyObject_HEAD
    PoolObject *pool;
    uint32_t index; /* EA_NONE: given away */
    Py_ssize_t exports;
} NodeObject;

PyObject *node_new(PoolObject *pool, uint32_t index) {
    NodeObject *self = PyObject_New(NodeObject, &Node_Type);
    if (self == NULL) return NULL;
    self->pool = (PoolObject *)Py_NewRef((PyObject *)pool);
    self->index = index;
    self->exports = 0;
    return (PyObject *)self;
}

static ea_node *header(NodeObject *self) {
    if (self->index == EA_NONE) {
        PyErr_SetString(PyExc_ValueError, "this node has been pushed; who pops it holds it now");
        return NULL;
    }
    return ea_pool_node(&self->pool->pool, self->index);
}

uint32_t node_detach(PyObject *node, PoolObject *pool) {
    NodeObject *self = (NodeObject *)node;
    if (!Py_IS_TYPE(node, &Node_Type) || (self->index != EA_NONE && self->pool != pool)) {
        PyErr_SetString(PyExc_ValueError, "only a node of the same pool can be pushed here");
        return EA_NONE;
    }
    if (header(self) == NULL) return EA_NONE;
    if (self->exports > 0) {
        PyErr_SetString(PyExc_BufferError, "a view of this node is still in use; release() it before the node goes");
        return EA_NONE;
    }
    uint32_t index = self->index;
    self->index = EA_NONE;
    return index;
}

void node_reattach(PyObject *node, uint32_t index) { ((NodeObject *)node)->index = index; }

static void node_dealloc(NodeObject *self) {
    /* Dropped instead of pushed: back to its pool, so that a forgetful actor loses nothing. */
    if (self->index != EA_NONE && current.who.shared != NULL) (void)pool_give(self->pool, &current.who, self->index);
    Py_DECREF((PyObject *)self->pool);
    PyObject_Free(self);
}

static Py_ssize_t length_of(NodeObject *self) {
    ea_node *node = header(self);
    if (node == NULL) return -1;
    uint32_t length = ea_fetch(node->length);
    if (length > self->pool->pool.payload) {
        ea_status_error(EA_CORRUPT, "a node's length");
        return -1;
    }
    return length;
}

static PyObject *node_get_length(NodeObject *self, void *unused) {
    Py_ssize_t length = length_of(self);
    return length < 0 ? NULL : PyLong_FromSsize_t(length);
}

static int node_set_length(NodeObject *self, PyObject *value, void *unused) {
    ea_node *node = header(self);
    if (node == NULL) return -1;
    Py_ssize_t length = value == NULL ? -1 : PyLong_AsSsize_t(value);
    if (length == -1 && PyErr_Occurred()) return -1;
    if (length < 0 || length > (Py_ssize_t)self->pool->pool.payload) {
        PyErr_Format(PyExc_ValueError, "a node of this pool holds 0 to %u bytes", self->pool->pool.payload);
        return -1;
    }
    node->length = (uint32_t)length;
    return 0;
}

static PyObject *node_get_data(NodeObject *self, void *unused) {
    Py_ssize_t length = length_of(self);
    return length < 0 ? NULL : PyBytes_FromStringAndSize((char *)header(self)->payload, length);
}

static PyObject *node_write(NodeObject *self, PyObject *data) {
    ea_node *node = header(self);
    Py_buffer view;
    if (node != NULL && PyBytes_CheckExact(data) && PyBytes_GET_SIZE(data) <= (Py_ssize_t)self->pool->pool.payload) {
        memcpy(node->payload, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data));
        node->length = (uint32_t)PyBytes_GET_SIZE(data);
        Py_RETURN_NONE;
    }
    if (node == NULL || PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) return NULL;
    if (view.len > (Py_ssize_t)self->pool->pool.payload) {
        PyErr_Format(PyExc_ValueError, "%zd bytes do not fit into a node of %u", view.len, self->pool->pool.payload);
    } else {
        memcpy(node->payload, view.buf, (size_t)view.len);
        node->length = (uint32_t)view.len;
    }
    PyBuffer_Release(&view);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *node_view(NodeObject *self, void *unused) {
    return header(self) == NULL ? NULL : PyMemoryView_FromObject((PyObject *)self);
}

static int node_getbuffer(NodeObject *self, Py_buffer *view, int flags) {
    ea_node *node = header(self);
    view->obj = NULL;
    if (node == NULL || PyBuffer_FillInfo(view, (PyObject *)self, node->payload, self->pool->pool.payload, 0, flags) < 0)
        return -1;
    self->exports++;
    return 0;
}

static void node_releasebuffer(NodeObject *self, Py_buffer *view) { self->exports--; }

static PyMethodDef methods[] = {
    {"write", (PyCFunction)node_write, METH_O, "write(data, /)\n--\n\nFill the node with `data` and set its length."},
    {0},
};

static PyGetSetDef properties[] = {
    {"length", (getter)node_get_length, (setter)node_set_length, "How many bytes of the payload are the message.", NULL},
    {"data", (getter)node_get_data, NULL, "The message as bytes, copied into private memory.", NULL},
    {"view", (getter)node_view, NULL, "A writable memoryview of the whole payload where it lies.", NULL},
    {0},
};

static PyBufferProcs buffer = {.bf_getbuffer = (getbufferproc)node_getbuffer,
                               .bf_releasebuffer = (releasebufferproc)node_releasebuffer};

PyTypeObject Node_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Node",
    .tp_basicsize = sizeof(NodeObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "A block of a public pool.",
    .tp_dealloc = (destructor)node_dealloc,
    .tp_methods = methods,
    .tp_getset = properties,
    .tp_as_buffer = &buffer,
};
