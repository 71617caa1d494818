/* An enclave that verifies quotes of others, and whose channels all lead out of it. */
#include "parts.h"

const ea_py_part ea_py_parts[] = {ea_py_add_quotes, NULL};
