/* Python's view of the sandbox. */
#include "../../../native/sandbox.h"

#include <errno.h>

#include "types.h"

/* OSError picks its subclass by the number, so callers can catch PermissionError and so on. */
static PyObject *raise(int error, const char *what) {
    PyObject *arguments = Py_BuildValue("(is)", error, what);
    if (arguments != NULL) {
        PyErr_SetObject(PyExc_OSError, arguments);
        Py_DECREF(arguments);
    }
    return NULL;
}

static PyObject *isolate(PyObject *argument, int (*how)(pid_t)) {
    long parent = PyLong_AsLong(argument);
    if (parent == -1 && PyErr_Occurred()) return NULL;
    /* getppid() answers 0 for a launcher outside this process namespace: none to live with. */
    if (parent < 1 || parent != (pid_t)parent) {
        return PyErr_Format(PyExc_ValueError, "%ld is not the id of a process", parent);
    }
    int error = how((pid_t)parent);
    if (error == -ESRCH) return raise(ESRCH, "the launcher of this enclave has ended");
    if (error != 0) return raise(-error, "this process cannot be isolated");
    Py_RETURN_NONE;
}

static PyObject *prepare(PyObject *module, PyObject *parent) { return isolate(parent, ea_sandbox_prepare); }
static PyObject *die_with(PyObject *module, PyObject *parent) { return isolate(parent, ea_die_with); }

static PyObject *seal(PyObject *module, PyObject *filter) {
    Py_buffer code;
    if (PyObject_GetBuffer(filter, &code, PyBUF_SIMPLE) < 0) return NULL;
    int result = ea_sandbox_seal(code.buf, (size_t)code.len);
    PyBuffer_Release(&code);
    if (result > 0) {
        char what[80];
        PyOS_snprintf(what, sizeof what, "thread %d has a seccomp filter of its own and cannot be sealed", result);
        return raise(EBUSY, what);
    }
    if (result < 0) return raise(-result, "this kernel does not let a process be sealed by seccomp");
    Py_RETURN_NONE;
}

/* For the audit hook. */
static PyObject *current_actor(PyObject *module, PyObject *unused) {
    if (current.actor == NULL || current.actor->name == NULL) Py_RETURN_NONE;
    return Py_NewRef(current.actor->name);
}

static PyMethodDef functions[] = {
    {"current_actor", current_actor, METH_NOARGS,
     "current_actor()\n--\n\nThe name of the actor whose code this thread runs, or None."},
    {"sandbox_prepare", prepare, METH_O,
     "sandbox_prepare(parent_pid)\n--\n\n"
     "Hide this process from others of its user and let it die with its parent.\n\n"
     "Raises:\n    ProcessLookupError: The parent has already ended."},
    {"die_with", die_with, METH_O,
     "die_with(parent_pid)\n--\n\nLet this process die with its parent, and nothing more.\n\n"
     "Raises:\n    ProcessLookupError: The parent has already ended."},
    {"sandbox_seal", seal, METH_O,
     "sandbox_seal(filter, /)\n--\n\nRefuse, from now on and on all threads, all system calls but those that"
     " `filter` lets pass.\n\n"
     "Raises:\n    OSError: The kernel cannot; no thread has been sealed."},
    {NULL, NULL, 0, NULL},
};

int ea_py_add_sandbox(PyObject *module) { return PyModule_AddFunctions(module, functions); }
