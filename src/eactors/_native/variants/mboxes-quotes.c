/* An enclave with public mboxes that verifies quotes. */
#include "parts.h"

const ea_py_part ea_py_parts[] = {ea_py_add_mboxes, ea_py_add_quotes, NULL};
