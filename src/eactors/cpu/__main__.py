"""``python -I -m eactors.cpu FD``: the software CPU, on the control socket that a launcher made."""

from __future__ import annotations

import contextlib
import socket
import sys

from eactors.cpu.process import Cpu

if __name__ == "__main__":
    with contextlib.suppress(ProcessLookupError):  # a launcher that has already ended needs no CPU
        Cpu(socket.socket(fileno=int(sys.argv[1]))).run()
