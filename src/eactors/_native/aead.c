/* Authenticated encryption of single texts, for the trusted Python code that seals. */
#include "../../../native/aead.h"

#include "views.h"

static PyObject *aead(PyObject *args, bool sealing) {
    Py_buffer views[4]; /* key, nonce, data, aad */
    const char *name;
    if (!PyArg_ParseTuple(args, "sy*y*y*y*", &name, &views[0], &views[1], &views[2], &views[3])) return NULL;
    const ea_cipher *cipher = ea_cipher_find(name);
    if (cipher == NULL) return views_outcome(views, 4, false, Py_NewRef(Py_None), "there is no such cipher");
    if (views[0].len != (Py_ssize_t)ea_cipher_key_size(cipher) || views[1].len != EA_NONCE)
        return views_outcome(views, 4, false, Py_NewRef(Py_None), "a key or nonce of the wrong size for this cipher");
    Py_ssize_t size = views[2].len + (sealing ? EA_TAG : -EA_TAG);
    PyObject *out = PyBytes_FromStringAndSize(NULL, size < 0 ? 0 : size);
    bool ok = out != NULL && ea_aead(cipher, sealing, views[0].buf, views[1].buf, view_bytes(&views[2]), view_bytes(&views[3]),
                                     bytes_content(out));
    return views_outcome(views, 4, ok, out, sealing ? "sealing failed" : "not sealed with this key, or changed since");
}

/* aead_seal(cipher, key, nonce, data, aad, /): the ciphertext with its tag. Never twice with one nonce. */
static PyObject *aead_seal(PyObject *module, PyObject *args) { return aead(args, true); }
/* aead_open(cipher, key, nonce, data, aad, /): the plaintext; ValueError if it is not authentic. */
static PyObject *aead_open(PyObject *module, PyObject *args) { return aead(args, false); }

static PyMethodDef functions[] = {
    {"aead_seal", aead_seal, METH_VARARGS, NULL},
    {"aead_open", aead_open, METH_VARARGS, NULL},
    {0},
};

int ea_py_add_aead(PyObject *module) {
    ea_ciphers_fetch();
    return PyModule_AddFunctions(module, functions);
}
