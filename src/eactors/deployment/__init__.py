"""The deployment: which actor runs in which enclave, on which worker."""
