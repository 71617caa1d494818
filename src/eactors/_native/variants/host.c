/* The launcher, the software CPU, and the untrusted side: everything. */
#include "parts.h"

const ea_py_part ea_py_parts[] = {ea_py_add_private, ea_py_add_mboxes, ea_py_add_host, ea_py_add_watcher,
                                  ea_py_add_cpu,     ea_py_add_bridge, ea_py_add_quotes,
                                  NULL};
