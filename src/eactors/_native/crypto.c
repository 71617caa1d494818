/* Cryptography for the trusted Python code of every enclave: hashes and signatures. */
#include "views.h"

PyObject *views_outcome(Py_buffer views[], int count, bool ok, PyObject *result, const char *why) {
    for (int i = 0; i < count; i++) PyBuffer_Release(&views[i]);
    if (result == NULL || ok) return result;
    Py_DECREF(result);
    return PyErr_Format(PyExc_ValueError, "%s", why);
}

/* sha256(*parts): the SHA-256 of the parts, one behind the other; at most 16. */
static PyObject *sha256(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    enum { MOST = 16 };
    Py_buffer views[MOST];
    ea_bytes parts[MOST];
    if (count > MOST) return PyErr_Format(PyExc_TypeError, "sha256() of more than %d parts", MOST);
    for (int i = 0; i < count; i++) {
        if (PyObject_GetBuffer(args[i], &views[i], PyBUF_SIMPLE) < 0) return views_outcome(views, i, true, NULL, NULL);
        parts[i] = view_bytes(&views[i]);
    }
    PyObject *digest = PyBytes_FromStringAndSize(NULL, EA_SHA256);
    bool ok = digest != NULL && ea_sha256(parts, (size_t)count, bytes_content(digest));
    return views_outcome(views, (int)count, ok, digest, "sha256 failed");
}

/* rsa_pss_verify(public_pem, signature, data, /): whether this key signed: RSASSA-PSS, SHA-256, salt of
 * 32 bytes. */
static PyObject *rsa_pss_verify(PyObject *module, PyObject *args) {
    Py_buffer views[3];
    if (!PyArg_ParseTuple(args, "y*y*y*", &views[0], &views[1], &views[2])) return NULL;
    bool valid = ea_rsa_pss_verify(view_bytes(&views[0]), view_bytes(&views[1]), view_bytes(&views[2]));
    return views_outcome(views, 3, true, PyBool_FromLong(valid), NULL);
}

static PyMethodDef functions[] = {
    {"sha256", (PyCFunction)(void (*)(void))sha256, METH_FASTCALL, NULL},
    {"rsa_pss_verify", rsa_pss_verify, METH_VARARGS, NULL},
    {0},
};

int ea_py_add_crypto(PyObject *module) {
    const char *missing;
    if (ea_crypto_start(&missing)) return PyModule_AddFunctions(module, functions);
    PyErr_Format(PyExc_ImportError, "this machine's libcrypto has no %s", missing);
    return -1;
}
