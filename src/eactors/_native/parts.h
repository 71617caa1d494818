/* The parts of the extension module. Which of them there are besides cryptography that every
 * enclave needs is decided at link time (variant.c.in): what an enclave's actors do not use is
 * not in its image, in C as in Python. */
#ifndef EA_PY_PARTS_H
#define EA_PY_PARTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Adds one part to the module; -1 and an exception if it cannot. Of the part "x" it is called
 * ea_py_add_x:
 *
 *     aead       encryption of single texts
 *     baton      workers that span several enclaves
 *     crypto     hashes and signatures; in every variant
 *     host       making regions, and watching them
 *     keys       key agreement and derivation
 *     mboxes     pools, mboxes and nodes for actors
 *     plain      channels out of the enclave, in the clear
 *     private    channels inside one enclave
 *     quotes     verifying quotes of enclaves on other machines
 *     reopening  channels whose peers may be started anew
 *     sandbox    what an enclave without hardware does to itself; in every variant
 *     sealed     encrypted channels out of the enclave
 *     vacancies  actors that are started on demand; with all of reopening */
typedef int ea_py_part(PyObject *module);

/* The parts of this variant, ended by NULL. */
extern ea_py_part *const ea_py_parts[];

#endif
