"""One file per command. What a command needs is imported when it runs: `pqbed --help` loads none of it."""

from collections.abc import Callable

import typer

from pqbed_cli.commands.algorithms import algorithms
from pqbed_cli.commands.build import build
from pqbed_cli.commands.chain import chain
from pqbed_cli.commands.check import check
from pqbed_cli.commands.compare import compare
from pqbed_cli.commands.doctor import doctor
from pqbed_cli.commands.down import down
from pqbed_cli.commands.explain import explain
from pqbed_cli.commands.export import export
from pqbed_cli.commands.fetch import fetch
from pqbed_cli.commands.fleet import fleet
from pqbed_cli.commands.init import init
from pqbed_cli.commands.link import link
from pqbed_cli.commands.links import links
from pqbed_cli.commands.plan import plan
from pqbed_cli.commands.presets import presets
from pqbed_cli.commands.remedies import remedies
from pqbed_cli.commands.report import report
from pqbed_cli.commands.reproduce import reproduce
from pqbed_cli.commands.schema import schema
from pqbed_cli.commands.serve import serve
from pqbed_cli.commands.show import show
from pqbed_cli.commands.stack import stack
from pqbed_cli.commands.status import status
from pqbed_cli.commands.sweep import sweep
from pqbed_cli.commands.trace import trace
from pqbed_cli.commands.up import up
from pqbed_cli.commands.verify import verify
from pqbed_cli.help_groups import GroupedCommand


def register(app: typer.Typer) -> None:
    """Add every command to `app`, in the order a user meets them."""
    commands: tuple[Callable[..., None], ...] = (
        doctor,
        build,
        up,
        status,
        fetch,
        down,
        init,
        plan,
        sweep,
        show,
        explain,
        remedies,
        fleet,
        trace,
        report,
        serve,
        compare,
        check,
        export,
        verify,
        reproduce,
        algorithms,
        links,
        presets,
        schema,
    )
    for command in commands:
        app.command(cls=GroupedCommand)(command)
    app.add_typer(chain, name="chain")
    app.add_typer(link, name="link")
    app.add_typer(stack, name="stack")
