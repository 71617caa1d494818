/* The extension module: the native core as Python types. */
#include <stdarg.h>

#include "parts.h"
#include "sandbox.h"
#include "types.h"

ea_errors errors;
_Thread_local ea_current current;

PyObject *ea_raise(PyObject *error, const char *hint, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    PyObject *message = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    PyObject *args = message == NULL ? NULL : PyTuple_Pack(1, message);
    PyObject *keywords = hint == NULL ? NULL : Py_BuildValue("{s:s}", "hint", hint);
    PyObject *raised = args == NULL ? NULL : PyObject_Call(error, args, keywords);
    if (raised != NULL) PyErr_SetObject(error, raised);
    Py_XDECREF(message);
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    Py_XDECREF(raised);
    return NULL;
}

PyObject *ea_caught(void) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

PyObject *ea_raise_errno(int negative_errno, const char *path) {
    errno = -negative_errno;
    return PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
}

PyObject *ea_status_error(ea_status status, const char *what) {
    if (status == EA_CORRUPT)
        return ea_raise(errors.region_corrupted, "the host, or a peer, wrote into shared memory what it must not",
                        "%s: shared memory is corrupted", what);
    return PyErr_Format(PyExc_SystemError, "%s: unexpected status %d", what, (int)status);
}

const ea_context *ea_current_who(void) {
    if (current.who.shared == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "this thread is no participant of a region; only actors and adopters are");
        return NULL;
    }
    return &current.who;
}

static PyObject *adopt(PyObject *module, PyObject *args) {
    RegionObject *region;
    unsigned long long offset;
    unsigned int id;
    if (!PyArg_ParseTuple(args, "O!KI", &Region_Type, &region, &offset, &id)) return NULL;
    ea_participant *shared = ea_region_at(&region->region, offset, sizeof *shared);
    if (shared == NULL || id == 0 || id > EA_MAX_PARTICIPANTS)
        return PyErr_Format(PyExc_ValueError, "participant %u does not lie inside the region", id);
    Py_XSETREF(current.region, Py_NewRef((PyObject *)region));
    current.who = (ea_context){.shared = shared, .id = id};
    Py_RETURN_NONE;
}

static PyObject *current_actor(PyObject *module, PyObject *unused) {
    if (current.actor == NULL || current.actor->name == NULL) Py_RETURN_NONE;
    return Py_NewRef(current.actor->name);
}

static PyObject *current_participant(PyObject *module, PyObject *unused) {
    const ea_context *who = ea_current_who();
    return who == NULL ? NULL : PyLong_FromUnsignedLong(who->id);
}

static PyMethodDef functions[] = {
    {"adopt", adopt, METH_VARARGS,
     "adopt(region, participant, id, /)\n--\n\nLet this thread act as participant `id` of the region."},
    {"current_actor", current_actor, METH_NOARGS,
     "current_actor()\n--\n\nThe name of the actor whose code this thread runs, or None."},
    {"current_participant", current_participant, METH_NOARGS,
     "current_participant()\n--\n\nThe id of the participant that this thread is."},
    {0},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "eactors._native", .m_doc = "The native core.", .m_size = -1, .m_methods = functions};

static int load_errors(void) {
    PyObject *module = PyImport_ImportModule("eactors.errors");
    if (module == NULL) return -1;
    errors.actor_stopped = PyObject_GetAttrString(module, "ActorStopped");
    errors.message_too_large = PyObject_GetAttrString(module, "MessageTooLarge");
    errors.outbox_full = PyObject_GetAttrString(module, "OutboxFull");
    errors.region_corrupted = PyObject_GetAttrString(module, "RegionCorrupted");
    errors.not_offered = PyObject_GetAttrString(module, "OperationNotOffered");
    errors.channel_broken = PyObject_GetAttrString(module, "ChannelBroken");
    Py_DECREF(module);
    return PyErr_Occurred() ? -1 : 0;
}

int ea_add_methods(PyTypeObject *type, PyMethodDef *methods) {
    for (; methods->ml_name != NULL; methods++) {
        PyObject *made = (methods->ml_flags & METH_CLASS) != 0    ? PyDescr_NewClassMethod(type, methods)
                         : (methods->ml_flags & METH_STATIC) != 0 ? PyCFunction_New(methods, NULL)
                                                                  : PyDescr_NewMethod(type, methods);
        int added = made == NULL ? -1 : PyDict_SetItemString(type->tp_dict, methods->ml_name, made);
        Py_XDECREF(made);
        if (added < 0) return -1;
    }
    PyType_Modified(type);
    return 0;
}

PyMODINIT_FUNC PyInit__native(void) {
    static PyTypeObject *const types[] = {&Region_Type, &Post_Type,      &Actor_Type,
                                          &Cargo_Type,  &Connector_Type, &Worker_Type};
    if (load_errors() < 0) return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) return NULL;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (PyModule_AddType(module, types[i]) < 0) goto failed;
    if (ea_py_add_sandbox(module) < 0 || ea_py_add_crypto(module) < 0) goto failed;
    for (const ea_py_part *part = ea_py_parts; *part != NULL; part++)
        if ((*part)(module) < 0) goto failed;
    return module;
failed:
    Py_DECREF(module);
    return NULL;
}
