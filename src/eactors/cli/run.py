"""``eactors run``: run an application."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

import click

from eactors.cli import failures, report
from eactors.cli.files import plan_of, takes_files
from eactors.cli.progress import Progress
from eactors.host.application import Application
from eactors.host.layout import missing_cpus

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Run an application.")
@takes_files
@click.option("--stats", is_flag=True, help="Show a table of enclaves and workers at the end, on stderr.")
@click.option("--json", "json_file", metavar="FILE", type=click.File("w"), help="Write the outcome as JSON.")
@click.option(
    "--expect", metavar="N", type=int, help="How many messages to expect; progress then has a percentage."
)
@click.option("--no-sandbox", is_flag=True, help="Let enclaves do what any process may. Only for debugging.")
def run(
    source: Path,
    deployment: Path,
    params: tuple[str, ...],
    *,
    stats: bool,
    json_file: TextIO | None,
    expect: int | None,
    no_sandbox: bool,
) -> None:
    r"""Run the actors of SOURCE as DEPLOYMENT says.

    What actors print comes out on stdout. The exit status is 0 when all actors have
    finished, 1 when one has failed, 2 when a file or an option is wrong, 130 on Ctrl-C,
    or what an actor's exit() says.

    \b
    Example:
        eactors run pingpong.py two-enclaves.xml --param Ping.rounds=10
    """
    plan = plan_of(source, deployment, params)
    for worker, cpus in missing_cpus(plan.servers[0]):
        failures.warn(f"worker {worker}: this machine has no CPU {', '.join(map(str, cpus))}")
    if no_sandbox:
        failures.warn("--no-sandbox: enclaves are ordinary processes and keep none of an enclave's rules")
    with Progress(expect) as progress:
        outcome = Application(plan, sandbox=not no_sandbox, watcher=progress).run()
    for warning in outcome.warnings:
        failures.warn(warning)
    for failure in outcome.failures:
        failures.show(failure, plan.source)
    if stats:
        report.show(outcome)
    if json_file is not None:
        json.dump(asdict(outcome), json_file, indent=1)
    sys.exit(outcome.status)
