"""The numbers that a deployment may hold; ``schema.xsd`` draws the same limits."""

IDS = range(65_536)
CPUS = range(65_536)
CAPACITIES = range(1, 65_536 + 1)
MESSAGE_SIZES = range(1, 2**30 + 1)
NODE_SIZES = range(1, 2**28 + 1)
NODE_COUNTS = range(1, 2**24 + 1)
SOCKETS = range(1, 2**20 + 1)
# An actor may keep half of the least to itself before it tells that it has taken it.
UNREAD_SIZES = range(2**20, 2**32 + 1)
# A store counts its blocks of 256 bytes in 31 bits, and 32 of them are its header.
STORE_SIZES = range(2**16, 256 * (2**31 - 1) + 1)
INSTANCES = range(1, 1024 + 1)
# SGX keeps both of these in 16 bits.
PRODUCT_IDS = range(65_536)
SECURITY_VERSIONS = range(65_536)
