/* The extension module: the native core as Python types. */
#include <stdarg.h>

#include "parts.h"
#include "types.h"

_Thread_local ea_current current;

PyObject *ea_error(const char *name, PyObject *args, PyObject *keywords) {
    PyObject *module = args == NULL || keywords == NULL ? NULL : PyImport_ImportModule("eactors.errors");
    PyObject *class = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    PyObject *error = class == NULL ? NULL : PyObject_Call(class, args, keywords);
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    Py_XDECREF(module);
    Py_XDECREF(class);
    return error;
}

PyObject *ea_raise(const char *name, const char *hint, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    PyObject *args = Py_BuildValue("(N)", PyUnicode_FromFormatV(format, arguments));
    va_end(arguments);
    PyObject *error = ea_error(name, args, Py_BuildValue("{s:z}", "hint", hint));
    if (error != NULL) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
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

const ea_context *ea_current_who(void) {
    if (current.who.shared == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "this thread is no participant of a region; only actors and adopters are");
        return NULL;
    }
    return &current.who;
}

/* adopt(region, participant, id, /): let this thread act as participant `id` of the region. */
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

/* current_participant(): the id of the participant that this thread is. */
static PyObject *current_participant(PyObject *module, PyObject *unused) {
    const ea_context *who = ea_current_who();
    return who == NULL ? NULL : PyLong_FromUnsignedLong(who->id);
}

static PyMethodDef functions[] = {
    {"adopt", adopt, METH_VARARGS, NULL},
    {"current_participant", current_participant, METH_NOARGS, NULL},
    {0},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "eactors._native", .m_doc = "The native core.", .m_size = -1, .m_methods = functions};

PyMODINIT_FUNC PyInit__native(void) {
    static PyTypeObject *const types[] = {&Region_Type, &Post_Type,      &Actor_Type,
                                          &Cargo_Type,  &Connector_Type, &Worker_Type};
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) return NULL;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (PyModule_AddType(module, types[i]) < 0) goto failed;
    for (ea_py_part *const *part = ea_py_parts; *part != NULL; part++)
        if ((*part)(module) < 0) goto failed;
    return module;
failed:
    Py_DECREF(module);
    return NULL;
}
