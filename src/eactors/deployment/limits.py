"""The numbers that a deployment may hold; ``schema.xsd`` draws the same limits."""

IDS = range(65_536)
CPUS = range(65_536)
CAPACITIES = range(1, 65_536 + 1)
MESSAGE_SIZES = range(1, 2**30 + 1)
NODE_SIZES = range(1, 2**28 + 1)
NODE_COUNTS = range(1, 2**24 + 1)
INSTANCES = range(1, 1024 + 1)
# SGX keeps both of these in 16 bits.
PRODUCT_IDS = range(65_536)
SECURITY_VERSIONS = range(65_536)
