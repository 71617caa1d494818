"""What is raised for a wrong deployment file; no enclave ever reads one."""

from __future__ import annotations

from eactors.errors import EActorsError


class DeploymentError(EActorsError):
    """The deployment file is wrong.

    Attributes:
        file: Path of the deployment file.
        line: Line in that file, from 1; None where no single line is to blame.
    """

    def __init__(self, message: str, *, file: str, line: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.line = line

    def __str__(self) -> str:
        """Lead with ``file:line:``, the form that editors jump to."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.message}"
