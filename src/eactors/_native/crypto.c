/* Cryptography for the trusted Python code: key exchanges, reports, signatures.
 *
 * Secrets are returned as bytearrays, which their owner wipes; any buffer is taken. */
#include "crypto.h"

#include "aead.h"
#include "types.h"

static ea_bytes bytes_of(const Py_buffer *view) { return (ea_bytes){view->buf, (size_t)view->len}; }

static void release(Py_buffer views[], int count) {
    for (int i = 0; i < count; i++) PyBuffer_Release(&views[i]);
}

/* What has come of a call with these views: `result` if it worked. */
static PyObject *outcome(Py_buffer views[], int count, bool ok, PyObject *result, const char *why) {
    release(views, count);
    if (result == NULL || ok) return result;
    Py_DECREF(result);
    return PyErr_Format(PyExc_ValueError, "%s", why);
}

static uint8_t *array_of(PyObject *bytearray) { return (uint8_t *)PyByteArray_AS_STRING(bytearray); }
static uint8_t *content_of(PyObject *bytes) { return (uint8_t *)PyBytes_AS_STRING(bytes); }

static PyObject *sha256(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    enum { MOST = 16 };
    Py_buffer views[MOST];
    ea_bytes parts[MOST];
    if (count > MOST) return PyErr_Format(PyExc_TypeError, "sha256() of more than %d parts", MOST);
    for (int i = 0; i < count; i++) {
        if (PyObject_GetBuffer(args[i], &views[i], PyBUF_SIMPLE) < 0) return release(views, i), NULL;
        parts[i] = bytes_of(&views[i]);
    }
    PyObject *digest = PyBytes_FromStringAndSize(NULL, EA_SHA256);
    bool ok = digest != NULL && ea_sha256(parts, (size_t)count, content_of(digest));
    return outcome(views, (int)count, ok, digest, "sha256 failed");
}

static PyObject *hkdf(PyObject *module, PyObject *args) {
    Py_buffer views[3];
    int length;
    if (!PyArg_ParseTuple(args, "y*y*y*i", &views[0], &views[1], &views[2], &length)) return NULL;
    if (length < 1 || length > 255 * EA_SHA256) return outcome(views, 3, false, Py_NewRef(Py_None), "hkdf gives 1 to 8160 bytes");
    PyObject *out = PyByteArray_FromStringAndSize(NULL, length);
    bool ok = out != NULL &&
              ea_hkdf(bytes_of(&views[0]), bytes_of(&views[1]), bytes_of(&views[2]), array_of(out), (size_t)length);
    return outcome(views, 3, ok, out, "hkdf needs a key");
}

static PyObject *cmac(PyObject *module, PyObject *args) {
    Py_buffer views[2];
    if (!PyArg_ParseTuple(args, "y*y*", &views[0], &views[1])) return NULL;
    PyObject *mac = PyBytes_FromStringAndSize(NULL, EA_CMAC);
    bool ok = mac != NULL && views[0].len == 16 && ea_cmac(views[0].buf, bytes_of(&views[1]), content_of(mac));
    return outcome(views, 2, ok, mac, "cmac needs a key of 16 bytes");
}

static PyObject *x25519_generate(PyObject *module, PyObject *unused) {
    PyObject *private = PyByteArray_FromStringAndSize(NULL, EA_X25519), *public = PyBytes_FromStringAndSize(NULL, EA_X25519);
    PyObject *pair = private == NULL || public == NULL ? NULL : PyTuple_Pack(2, private, public);
    bool ok = pair != NULL && ea_x25519_generate(array_of(private), content_of(public));
    Py_XDECREF(private);
    Py_XDECREF(public);
    return outcome(NULL, 0, ok, pair, "there is no randomness");
}

static PyObject *x25519(PyObject *module, PyObject *args) {
    Py_buffer views[2];
    if (!PyArg_ParseTuple(args, "y*y*", &views[0], &views[1])) return NULL;
    PyObject *secret = PyByteArray_FromStringAndSize(NULL, EA_X25519);
    bool ok = secret != NULL && views[0].len == EA_X25519 && views[1].len == EA_X25519 &&
              ea_x25519(views[0].buf, views[1].buf, array_of(secret));
    return outcome(views, 2, ok, secret, "x25519: no shared secret comes of this public key");
}

static PyObject *aead(PyObject *args, bool sealing) {
    Py_buffer views[4]; /* key, nonce, data, aad */
    const char *name;
    if (!PyArg_ParseTuple(args, "sy*y*y*y*", &name, &views[0], &views[1], &views[2], &views[3])) return NULL;
    const ea_cipher *cipher = ea_cipher_find(name);
    if (cipher == NULL) return outcome(views, 4, false, Py_NewRef(Py_None), "there is no such cipher");
    if (views[0].len != (Py_ssize_t)ea_cipher_key_size(cipher) || views[1].len != EA_NONCE)
        return outcome(views, 4, false, Py_NewRef(Py_None), "a key or nonce of the wrong size for this cipher");
    Py_ssize_t size = views[2].len + (sealing ? EA_TAG : -EA_TAG);
    PyObject *out = PyBytes_FromStringAndSize(NULL, size < 0 ? 0 : size);
    bool ok = out != NULL && (sealing ? ea_aead_seal : ea_aead_open)(cipher, views[0].buf, views[1].buf, bytes_of(&views[2]),
                                                                    bytes_of(&views[3]), content_of(out));
    return outcome(views, 4, ok, out, sealing ? "sealing failed" : "not sealed with this key, or changed since");
}

static PyObject *aead_seal(PyObject *module, PyObject *args) { return aead(args, true); }
static PyObject *aead_open(PyObject *module, PyObject *args) { return aead(args, false); }

static PyObject *rsa_pss_verify(PyObject *module, PyObject *args) {
    Py_buffer views[3];
    if (!PyArg_ParseTuple(args, "y*y*y*", &views[0], &views[1], &views[2])) return NULL;
    bool valid = ea_rsa_pss_verify(bytes_of(&views[0]), bytes_of(&views[1]), bytes_of(&views[2]));
    return outcome(views, 3, true, PyBool_FromLong(valid), NULL);
}

static PyObject *rsa_modulus(PyObject *module, PyObject *argument) {
    Py_buffer view;
    if (PyObject_GetBuffer(argument, &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *modulus = PyBytes_FromStringAndSize(NULL, EA_RSA);
    bool ok = modulus != NULL && ea_rsa_modulus(bytes_of(&view), content_of(modulus));
    return outcome(&view, 1, ok, modulus, "this is no RSA-3072 public key with exponent 3 in PEM");
}

static PyObject *wipe(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!PyByteArray_Check(args[i])) return PyErr_Format(PyExc_TypeError, "only a bytearray can be wiped");
        ea_wipe(array_of(args[i]), (size_t)PyByteArray_GET_SIZE(args[i]));
    }
    Py_RETURN_NONE;
}

static PyObject *equal(PyObject *module, PyObject *args) {
    Py_buffer views[2];
    if (!PyArg_ParseTuple(args, "y*y*", &views[0], &views[1])) return NULL;
    bool same = views[0].len == views[1].len && ea_equal(views[0].buf, views[1].buf, (size_t)views[0].len);
    return outcome(views, 2, true, PyBool_FromLong(same), NULL);
}

static PyObject *cipher_problem(PyObject *module, PyObject *args) {
    const char *name, *problem;
    int aes = ea_cpu_has_aes();
    if (!PyArg_ParseTuple(args, "s|p", &name, &aes)) return NULL;
    const ea_cipher *cipher = ea_cipher_find(name);
    problem = cipher == NULL ? "there is no such cipher" : ea_cipher_problem(cipher, aes);
    return problem == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(problem);
}

static PyMethodDef functions[] = {
    {"sha256", (PyCFunction)(void (*)(void))sha256, METH_FASTCALL,
     "sha256(*parts)\n--\n\nThe SHA-256 of the parts, one behind the other; at most 16."},
    {"hkdf", hkdf, METH_VARARGS, "hkdf(key, salt, info, length, /)\n--\n\nHKDF with SHA-256 (RFC 5869), as a bytearray."},
    {"cmac", cmac, METH_VARARGS, "cmac(key, data, /)\n--\n\nAES-128-CMAC (RFC 4493)."},
    {"x25519_generate", x25519_generate, METH_NOARGS,
     "x25519_generate()\n--\n\nA fresh private key, as a bytearray, and its public key."},
    {"x25519", x25519, METH_VARARGS,
     "x25519(private, public, /)\n--\n\nThe shared secret (RFC 7748), as a bytearray; ValueError if it would be zero."},
    {"aead_seal", aead_seal, METH_VARARGS,
     "aead_seal(cipher, key, nonce, data, aad, /)\n--\n\nThe ciphertext with its tag. Never twice with one nonce."},
    {"aead_open", aead_open, METH_VARARGS,
     "aead_open(cipher, key, nonce, data, aad, /)\n--\n\nThe plaintext; ValueError if it is not authentic."},
    {"rsa_pss_verify", rsa_pss_verify, METH_VARARGS,
     "rsa_pss_verify(public_pem, signature, data, /)\n--\n\nWhether this key signed: RSASSA-PSS, SHA-256, salt of 32 bytes."},
    {"rsa_modulus", rsa_modulus, METH_O,
     "rsa_modulus(public_pem, /)\n--\n\nThe 384 bytes, little-endian, of an RSA-3072 key with exponent 3."},
    {"wipe", (PyCFunction)(void (*)(void))wipe, METH_FASTCALL, "wipe(*arrays)\n--\n\nOverwrite bytearrays with zeros."},
    {"equal", equal, METH_VARARGS, "equal(one, other, /)\n--\n\nWhether they are the same, in time that does not tell where not."},
    {"cipher_problem", cipher_problem, METH_VARARGS,
     "cipher_problem(name, aes=..., /)\n--\n\nWhy the cipher should not be used here, or None. "
     "`aes`: whether the CPU has AES instructions, if not this one is meant."},
    {0},
};

int ea_py_add_crypto(PyObject *module) {
    const char *missing;
    if (ea_crypto_start(&missing)) return PyModule_AddFunctions(module, functions);
    PyErr_Format(PyExc_ImportError, "this machine's libcrypto has no %s", missing);
    return -1;
}
