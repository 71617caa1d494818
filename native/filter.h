/* The seccomp filter of a sealed enclave, generated from one table of allowed calls.
 *
 * Made outside of enclaves, by their software CPU: an enclave only installs it
 * (sandbox.h), and so trusts neither the table's length nor its generator.
 */
#ifndef EA_FILTER_H
#define EA_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

enum { EA_FILTER_ROOM = 512 };

/* Write the filter's instructions; returns how many, at most EA_FILTER_ROOM. */
size_t ea_filter_generate(struct sock_filter code[EA_FILTER_ROOM]);

/* The calls that a sealed process may still make, each with its reason.
 *
 * Fills at most `room` of each array and returns how many there are.
 */
size_t ea_filter_allowed(const char *names[], const char *reasons[], size_t room);

#endif
