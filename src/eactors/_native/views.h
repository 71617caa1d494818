/* Arguments that are any buffers of bytes, for the bindings of cryptography. */
#ifndef EA_PY_VIEWS_H
#define EA_PY_VIEWS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../../../native/crypto.h"

static inline ea_bytes view_bytes(const Py_buffer *view) { return (ea_bytes){view->buf, (size_t)view->len}; }
static inline uint8_t *bytes_content(PyObject *bytes) { return (uint8_t *)PyBytes_AS_STRING(bytes); }

/* What has come of a call with these views, which are released: `result` if it worked. */
PyObject *views_outcome(Py_buffer views[], int count, bool ok, PyObject *result, const char *why);

#endif
