"""System actors: untrusted and stateless, they do what enclaves cannot."""
