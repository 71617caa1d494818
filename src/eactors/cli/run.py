"""``eactors run``: run an application."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import click

from eactors.cli import failures, report
from eactors.cli.apart import apart
from eactors.cli.errors import explain
from eactors.cli.files import params_option, plan_of
from eactors.cli.progress import Progress
from eactors.host.application import Application
from eactors.host.cpus import missing_cpus
from eactors.host.workspace import Workspace


@click.command(short_help="Run an application.")
@click.argument("source", metavar="SOURCE|DIR", type=click.Path(path_type=Path))
@click.argument("deployment", required=False, type=click.Path(path_type=Path))
@params_option
@click.option("--stats", is_flag=True, help="Show a table of enclaves and workers at the end, on stderr.")
@click.option("--json", "json_file", metavar="FILE", type=click.File("w"), help="Write the outcome as JSON.")
@click.option(
    "--expect", metavar="N", type=int, help="How many messages to expect; progress then has a percentage."
)
@click.option(
    "--server", metavar="ADDRESS", help="Which <server> of the deployment this is, if there are several."
)
@click.option(
    "--listen",
    metavar="ADDRESS",
    help="Where to listen for the other servers, if not where they look for this one.",
)
@click.option("--no-sandbox", is_flag=True, help="Let enclaves do what any process may. Only for debugging.")
def run(  # noqa: PLR0913 - one for each option
    source: Path,
    deployment: Path | None,
    params: tuple[str, ...],
    *,
    stats: bool,
    json_file: TextIO | None,
    expect: int | None,
    server: str | None,
    listen: str | None,
    no_sandbox: bool,
) -> None:
    r"""Run the actors of SOURCE as DEPLOYMENT says, or what 'eactors build' wrote to DIR.

    What actors print comes out on stdout. The exit status is 0 when all actors have
    finished, 1 when one has failed, 2 when a file or an option is wrong, 130 on Ctrl-C,
    or what an actor's exit() says.

    \b
    Examples:
        eactors run pingpong.py two-enclaves.xml --param Ping.rounds=10
        eactors run DIR
        eactors run DIR --server 10.0.0.1
    """
    with Workspace() as workspace:
        built = _built(source, deployment, params, workspace)
        with Progress(expect) as progress:
            application = Application(
                built, workspace, sandbox=not no_sandbox, watcher=progress, server=server, listen=listen
            )
            for worker, cpus in missing_cpus(application.deployed.server):
                failures.warn(f"worker {worker}: this machine has no CPU {', '.join(map(str, cpus))}")
            if no_sandbox:
                failures.warn(
                    "--no-sandbox: enclaves are ordinary processes and keep none of an enclave's rules"
                )
            outcome = application.run()
    for warning in outcome.warnings:
        failures.warn(warning)
    for failure in outcome.failures:
        failures.show(failure, Path(application.deployed.source))
    if stats:
        report.show(outcome)
    if json_file is not None:
        json.dump(asdict(outcome), json_file, indent=1)
    sys.exit(outcome.status)


def _built(source: Path, deployment: Path | None, params: tuple[str, ...], workspace: Workspace) -> Path:
    """The folder of a built deployment: the one that is given, or one built for this run."""
    if source.is_dir():
        if deployment is not None:
            raise click.UsageError(f"{source} is a built deployment, which has its deployment in it already")
        if params:
            raise click.UsageError(
                "parameters are part of the measured images: give --param to 'eactors build'"
            )
        return source
    if deployment is None:
        raise click.UsageError(
            f"{source} is no folder that 'eactors build' wrote; give SOURCE and DEPLOYMENT"
        )
    built = workspace.folder / "built"

    def work() -> None:
        from eactors.build.builder import build_folder  # noqa: PLC0415 - only the child needs it

        build_folder(plan_of(source, deployment, params), built, notice=failures.notice)

    status = apart(work, explain, workspace.interrupts)
    if status != 0:
        sys.exit(status)
    return built
