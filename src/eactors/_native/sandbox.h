#ifndef EA_PY_SANDBOX_H
#define EA_PY_SANDBOX_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Add sandbox_prepare, die_with, sandbox_seal, and what the software CPU calls; -1 with an exception on failure. */
int ea_py_add_sandbox(PyObject *module);

#endif
