"""How enclaves prove to each other what they are, and agree on keys."""
