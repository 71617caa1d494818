"""The untrusted launcher: lays out shared memory, starts enclaves, watches them, cleans up."""
