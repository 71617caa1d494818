/* What the software CPU of platform "simulation" needs, and no enclave. */
#include "parts.h"

#include "../../../native/filter.h"
#include "../../../native/spawn.h"

static PyObject *filter(PyObject *module, PyObject *Py_UNUSED(none)) {
    struct sock_filter code[EA_FILTER_ROOM];
    size_t length = ea_filter_generate(code);
    return PyBytes_FromStringAndSize((const char *)code, (Py_ssize_t)(length * sizeof code[0]));
}

static PyObject *allowed(PyObject *module, PyObject *Py_UNUSED(none)) {
    enum { ROOM = 64 };
    const char *names[ROOM];
    const char *reasons[ROOM];
    size_t count = ea_filter_allowed(names, reasons, ROOM);
    if (count > ROOM) return PyErr_Format(PyExc_SystemError, "more than %d allowed calls", ROOM);
    PyObject *calls = PyList_New((Py_ssize_t)count);
    if (calls == NULL) return NULL;
    for (size_t i = 0; i < count; i++) {
        PyObject *call = Py_BuildValue("(ss)", names[i], reasons[i]);
        if (call == NULL) {
            Py_DECREF(calls);
            return NULL;
        }
        PyList_SET_ITEM(calls, (Py_ssize_t)i, call);
    }
    return calls;
}

enum { MOST_WORDS = 16 };

/* Point `out` at the bytes in a tuple, which must outlive it. */
static int collect(PyObject *words, char *out[MOST_WORDS + 1]) {
    Py_ssize_t count = PyTuple_GET_SIZE(words);
    if (count > MOST_WORDS) {
        PyErr_Format(PyExc_ValueError, "more than %d words", MOST_WORDS);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(words, i), &out[i], NULL) < 0) return -1;
    out[count] = NULL;
    return 0;
}

static PyObject *spawn(PyObject *module, PyObject *args) {
    PyObject *arguments, *environment;
    char *words[MOST_WORDS + 1];
    char *variables[MOST_WORDS + 1];
    ea_spawn_plan plan;
    if (!PyArg_ParseTuple(args, "yO!O!yii", &plan.program, &PyTuple_Type, &arguments, &PyTuple_Type, &environment,
                          &plan.folder, &plan.errors, &plan.socket))
        return NULL;
    if (collect(arguments, words) < 0 || collect(environment, variables) < 0) return NULL;
    plan.arguments = words;
    plan.environment = variables;
    pid_t child = ea_spawn(&plan);
    if (child < 0) {
        errno = -child;
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, plan.program);
    }
    return PyLong_FromLong(child);
}

static PyMethodDef functions[] = {
    {"sandbox_filter", filter, METH_NOARGS,
     "sandbox_filter()\n--\n\nReturn the instructions of the filter that `sandbox_seal` installs."},
    {"sandbox_allowed", allowed, METH_NOARGS,
     "sandbox_allowed()\n--\n\nReturn the calls that a sealed process may make, each with its reason."},
    {"spawn", spawn, METH_VARARGS,
     "spawn(program, arguments, environment, folder, errors, socket, /)\n--\n\n"
     "Start a process as a child of this process's parent, and return its id.\n\n"
     "`errors` becomes its standard error, `socket` its descriptor 3; it inherits no other."},
    {NULL, NULL, 0, NULL},
};

int ea_py_add_cpu(PyObject *module) { return PyModule_AddFunctions(module, functions); }
