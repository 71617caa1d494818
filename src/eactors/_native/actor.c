/* Actor: what the worker needs to know of an actor; eactors.Actor is the rest. */
#include "types.h"

#include <structmember.h>

const char *actor_name(const ActorObject *actor) {
    const char *name = actor == NULL || actor->name == NULL ? NULL : PyUnicode_AsUTF8(actor->name);
    return name == NULL ? "?" : name;
}

static PyObject *actor_stop(ActorObject *self, PyObject *unused) {
    if (self->state == ACTOR_RUNNING) self->state = ACTOR_STOPPING;
    Py_RETURN_NONE;
}

static PyObject *actor_exit(ActorObject *self, PyObject *args) {
    int code = 0;
    if (!PyArg_ParseTuple(args, "|i", &code)) return NULL;
    if (code < 0 || code > 255) return PyErr_Format(PyExc_ValueError, "exit(%d): a status is from 0 to 255", code);
    if (self->worker == NULL) return PyErr_Format(PyExc_RuntimeError, "exit(): this actor is executed by no worker");
    if (self->state == ACTOR_RUNNING) self->state = ACTOR_STOPPING;
    return PyObject_CallFunction(self->worker->report, "sOi", "exit", self, code);
}

static PyObject *actor_stopped(ActorObject *self, void *unused) {
    return PyBool_FromLong(self->state != ACTOR_RUNNING);
}

static void actor_dealloc(ActorObject *self) {
    Py_CLEAR(self->name);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"stop", (PyCFunction)actor_stop, METH_NOARGS,
     "stop()\n--\n\nEnd this actor once its outbox has drained; its connectors are closed behind the last message."},
    {"exit", (PyCFunction)actor_exit, METH_VARARGS,
     "exit(code=0, /)\n--\n\nEnd the whole application with this status."},
    {0},
};

static PyMemberDef members[] = {
    {"name", T_OBJECT, offsetof(ActorObject, name), 0, "The actor's name in the deployment."},
    {0},
};

static PyGetSetDef properties[] = {
    {"stopped", (getter)actor_stopped, NULL, "Whether stop() was called.", NULL},
    {0},
};

PyTypeObject Actor_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Actor",
    .tp_basicsize = sizeof(ActorObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "The native part of every actor.",
    .tp_new = PyType_GenericNew,
    .tp_dealloc = (destructor)actor_dealloc,
    .tp_methods = methods,
    .tp_members = members,
    .tp_getset = properties,
};
