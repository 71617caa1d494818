/* An enclave with public mboxes. */
#include "parts.h"

const ea_py_part ea_py_parts[] = {ea_py_add_mboxes, NULL};
