/* What an enclave needs to verify the quote of another. */
#include "parts.h"
#include "types.h"

#include "quote.h"

static PyObject *p256_verify(PyObject *module, PyObject *args) {
    Py_buffer key, signature, data;
    if (!PyArg_ParseTuple(args, "y*y*y*", &key, &signature, &data)) return NULL;
    bool valid = key.len == EA_P256 && signature.len == EA_P256 &&
                 ea_p256_verify(key.buf, signature.buf, (ea_bytes){data.buf, (size_t)data.len});
    PyBuffer_Release(&key);
    PyBuffer_Release(&signature);
    PyBuffer_Release(&data);
    return PyBool_FromLong(valid);
}

static PyObject *pck_key(PyObject *module, PyObject *args) {
    Py_buffer root, chain;
    uint8_t key[EA_P256];
    if (!PyArg_ParseTuple(args, "y*y*", &root, &chain)) return NULL;
    bool valid = ea_pck_key((ea_bytes){root.buf, (size_t)root.len}, (ea_bytes){chain.buf, (size_t)chain.len}, key);
    PyBuffer_Release(&root);
    PyBuffer_Release(&chain);
    if (!valid) Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((char *)key, sizeof key);
}

static PyMethodDef functions[] = {
    {"p256_verify", p256_verify, METH_VARARGS,
     "p256_verify(key, signature, data, /)\n--\n\nWhether it is an ECDSA P-256 signature of the data: r and s, of the key: X and Y."},
    {"pck_key", pck_key, METH_VARARGS,
     "pck_key(root, chain, /)\n--\n\nThe key of the first certificate of a PEM chain, if it is a processor's and leads to the root; or None."},
    {0},
};

int ea_py_add_quotes(PyObject *module) {
    if (ea_quote_start()) return PyModule_AddFunctions(module, functions);
    PyErr_SetString(PyExc_ImportError, "this machine's libcrypto has no ECDSA on P-256");
    return -1;
}
