"""What MPyC does: five parties on this machine add up their secret vectors of 1,000.

Run by itself it is one party; `per_second` starts all five and gives the rate.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

PARTIES, LENGTH = 5, 1000


def per_second(rounds: int) -> float:
    """Return sums per second, without the time to start."""
    command = [sys.executable, __file__, f"-M{PARTIES}", "--no-log", str(rounds)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        raise RuntimeError(f"MPyC failed:\n{done.stdout}{done.stderr}")
    return float(json.loads(lines[-1])["per_second"])


async def _party(rounds: int) -> None:
    import numpy as np  # noqa: PLC0415 - only a party needs it
    from mpyc.runtime import mpc  # noqa: PLC0415 - it reads the command line when it is imported

    field = mpc.SecFld(2**61 - 1)
    mine = field.array(np.array([(mpc.pid + 1) * (number + 1) for number in range(LENGTH)], dtype=object))
    async with mpc:
        await _sum(mpc, mine)
        begun = time.monotonic()
        for _ in range(rounds):
            total = await _sum(mpc, mine)
        seconds = time.monotonic() - begun
    if [int(value) for value in total[:2]] != [15, 30]:
        raise ArithmeticError(f"the sum is wrong: {total[:2]}")
    if mpc.pid == 0:
        sys.stdout.write(json.dumps({"per_second": rounds / seconds}) + "\n")


async def _sum(mpc: Any, mine: Any) -> Any:
    return await mpc.output(sum(mpc.input(mine)))


if __name__ == "__main__":
    from mpyc.runtime import mpc as runtime

    runtime.run(_party(int(sys.argv[-1])))
