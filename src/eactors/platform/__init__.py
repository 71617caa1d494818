"""What gives an enclave its isolation; later its measurement, reports and keys as well."""

from __future__ import annotations
