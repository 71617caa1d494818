#ifndef EA_PY_CPU_H
#define EA_PY_CPU_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Add what only the software CPU calls: sandbox_filter, sandbox_allowed, spawn. */
int ea_py_add_cpu(PyObject *module);

#endif
