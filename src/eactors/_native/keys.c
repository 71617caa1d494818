/* Agreeing on keys and deriving them, for the trusted Python code.
 *
 * Secrets are returned as bytearrays, which their owner wipes; any buffer is taken. */
#include "../../../native/keys.h"

#include "views.h"

static uint8_t *array_of(PyObject *bytearray) { return (uint8_t *)PyByteArray_AS_STRING(bytearray); }

/* hkdf(key, salt, info, length, /): HKDF with SHA-256 (RFC 5869), as a bytearray. */
static PyObject *hkdf(PyObject *module, PyObject *args) {
    Py_buffer views[3];
    int length;
    if (!PyArg_ParseTuple(args, "y*y*y*i", &views[0], &views[1], &views[2], &length)) return NULL;
    if (length < 1 || length > 255 * EA_SHA256) return views_outcome(views, 3, false, Py_NewRef(Py_None), "hkdf gives 1 to 8160 bytes");
    PyObject *out = PyByteArray_FromStringAndSize(NULL, length);
    bool ok = out != NULL &&
              ea_hkdf(view_bytes(&views[0]), view_bytes(&views[1]), view_bytes(&views[2]), array_of(out), (size_t)length);
    return views_outcome(views, 3, ok, out, "hkdf needs a key");
}

/* cmac(key, data, /): AES-128-CMAC (RFC 4493). */
static PyObject *cmac(PyObject *module, PyObject *args) {
    Py_buffer views[2];
    if (!PyArg_ParseTuple(args, "y*y*", &views[0], &views[1])) return NULL;
    PyObject *mac = PyBytes_FromStringAndSize(NULL, EA_CMAC);
    bool ok = mac != NULL && views[0].len == 16 && ea_cmac(views[0].buf, view_bytes(&views[1]), bytes_content(mac));
    return views_outcome(views, 2, ok, mac, "cmac needs a key of 16 bytes");
}

/* x25519_generate(): a fresh private key, as a bytearray, and its public key. */
static PyObject *x25519_generate(PyObject *module, PyObject *unused) {
    PyObject *private = PyByteArray_FromStringAndSize(NULL, EA_X25519), *public = PyBytes_FromStringAndSize(NULL, EA_X25519);
    PyObject *pair = private == NULL || public == NULL ? NULL : PyTuple_Pack(2, private, public);
    bool ok = pair != NULL && ea_x25519_generate(array_of(private), bytes_content(public));
    Py_XDECREF(private);
    Py_XDECREF(public);
    return views_outcome(NULL, 0, ok, pair, "there is no randomness");
}

/* x25519(private, public, /): the shared secret (RFC 7748), as a bytearray; ValueError if it would be zero. */
static PyObject *x25519(PyObject *module, PyObject *args) {
    Py_buffer views[2];
    if (!PyArg_ParseTuple(args, "y*y*", &views[0], &views[1])) return NULL;
    PyObject *secret = PyByteArray_FromStringAndSize(NULL, EA_X25519);
    bool ok = secret != NULL && views[0].len == EA_X25519 && views[1].len == EA_X25519 &&
              ea_x25519(views[0].buf, views[1].buf, array_of(secret));
    return views_outcome(views, 2, ok, secret, "x25519: no shared secret comes of this public key");
}

/* wipe(*arrays): overwrite bytearrays with zeros. */
static PyObject *wipe(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!PyByteArray_Check(args[i])) return PyErr_Format(PyExc_TypeError, "only a bytearray can be wiped");
        ea_wipe(array_of(args[i]), (size_t)PyByteArray_GET_SIZE(args[i]));
    }
    Py_RETURN_NONE;
}

/* equal(one, other, /): whether they are the same, in time that does not tell where not. */
static PyObject *equal(PyObject *module, PyObject *args) {
    Py_buffer views[2];
    if (!PyArg_ParseTuple(args, "y*y*", &views[0], &views[1])) return NULL;
    bool same = views[0].len == views[1].len && ea_equal(views[0].buf, views[1].buf, (size_t)views[0].len);
    return views_outcome(views, 2, true, PyBool_FromLong(same), NULL);
}

static PyMethodDef functions[] = {
    {"hkdf", hkdf, METH_VARARGS, NULL},
    {"cmac", cmac, METH_VARARGS, NULL},
    {"x25519_generate", x25519_generate, METH_NOARGS, NULL},
    {"x25519", x25519, METH_VARARGS, NULL},
    {"wipe", (PyCFunction)(void (*)(void))wipe, METH_FASTCALL, NULL},
    {"equal", equal, METH_VARARGS, NULL},
    {0},
};

int ea_py_add_keys(PyObject *module) {
    const char *missing;
    if (ea_keys_start(&missing)) return PyModule_AddFunctions(module, functions);
    PyErr_Format(PyExc_ImportError, "this machine's libcrypto has no %s", missing);
    return -1;
}
