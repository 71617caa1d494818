/* An enclave with channels inside it. */
#include "parts.h"

const ea_py_part ea_py_parts[] = {ea_py_add_private, NULL};
