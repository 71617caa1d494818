/* Cargo, for the carriers that make some. */
#ifndef EA_PY_CARGO_H
#define EA_PY_CARGO_H

#include "types.h"

typedef struct CargoObject {
    PyObject_HEAD
    ConnectorObject *connector;
    PyObject *bytes; /* NULL: the message lies in `node` */
    uint8_t *data;
    Py_ssize_t length;
    Py_ssize_t exports;
    uint32_t node; /* of the connector's carrier, which then has in_place_ops */
    bool writable, spent;
} CargoObject;

/* A received message, in private memory; steals `bytes`. */
PyObject *cargo_of_bytes(ConnectorObject *connector, PyObject *bytes);
/* One without its content yet: `data` and `length` are to be set. */
CargoObject *cargo_new(ConnectorObject *connector);
/* Whether nobody has a view of it; else an exception. */
bool cargo_unexported(const CargoObject *cargo);
/* What is to be sent, as bytes; NULL and an exception if it cannot be sent. */
PyObject *cargo_content(CargoObject *cargo);

#endif
