"""What runs inside an enclave: its entry, its actors' workers, its link to the host."""
