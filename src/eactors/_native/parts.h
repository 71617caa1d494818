/* The parts of the extension module. Which of them there are besides cryptography that every
 * enclave needs is decided at link time (variant.c.in): what an enclave's actors do not use is
 * not in its image, in C as in Python. */
#ifndef EA_PY_PARTS_H
#define EA_PY_PARTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Adds one part to the module; -1 and an exception if it cannot. */
typedef int (*ea_py_part)(PyObject *module);

/* The parts of this variant, ended by NULL. */
extern const ea_py_part ea_py_parts[];

int ea_py_add_crypto(PyObject *module);  /* hashes and signatures */
int ea_py_add_keys(PyObject *module);    /* key agreement and derivation */
int ea_py_add_aead(PyObject *module);    /* encryption of single texts */
int ea_py_add_plain(PyObject *module);   /* channels out of the enclave, in the clear */
int ea_py_add_sealed(PyObject *module);  /* encrypted channels out of the enclave */
int ea_py_add_private(PyObject *module); /* channels inside one enclave */
int ea_py_add_mboxes(PyObject *module);  /* pools, mboxes and nodes for actors */
int ea_py_add_quotes(PyObject *module);  /* verifying quotes of enclaves on other machines */
int ea_py_add_baton(PyObject *module);   /* workers that span several enclaves */
int ea_py_add_reopening(PyObject *module); /* channels whose peers may be started anew */
int ea_py_add_host(PyObject *module);    /* making regions, and watching them */
int ea_py_add_watcher(PyObject *module); /* workers that also wait for descriptors */
int ea_py_add_recovery(PyObject *module); /* taking back what a process that ended has held */
int ea_py_add_cpu(PyObject *module);     /* what the software CPU calls */

#endif
