"""Reports that actors ask for, between the enclaves of the manifest."""

from __future__ import annotations

from eactors.attestation.report import check_report, target_info
from eactors.errors import ReportInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.attestation.manifest import Manifest
    from eactors.enclave.trust import Trust
    from eactors.platform.base import Platform


class Reports:
    """Makes and checks reports for one enclave.

    Args:
        platform: What makes reports, and the keys to check them with.
        manifest: Who the others are.
    """

    def __init__(self, platform: Platform, manifest: Manifest) -> None:
        self._platform = platform
        self._manifest = manifest

    def report(self, enclave: int, data: bytes) -> bytes:
        """A report for another enclave of the manifest."""
        peer = self._manifest.enclave(enclave).identity
        return self._platform.report(target_info(peer.measurement, peer.debug), data)

    def check_report(self, enclave: int, report: bytes) -> bytes:
        """The data of a report that this enclave of the manifest made for us.

        Raises:
            ReportInvalid: It is not by that enclave, not for this one, or was changed.
        """
        identity, data = check_report(self._platform, report)
        if difference := identity.difference(self._manifest.enclave(enclave).identity):
            raise ReportInvalid(f"the report is not by enclave {enclave}: who made it {difference}")
        return data


def make(trust: Trust) -> Reports:
    """The reports of this enclave."""
    return Reports(trust.platform, trust.manifest)
