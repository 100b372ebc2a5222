from typing import Annotated

import typer

from pqbed_cli.options import Json

Name = Annotated[str, typer.Argument(metavar="[NAME]", help="Only those with this in their name. [default: all]")]
Kind = Annotated[str | None, typer.Option(metavar="KIND", help="group or signature. [default: both]")]
Cpu = Annotated[bool, typer.Option("--cpu", help="Measure the CPU time of each operation here: about 3 s a row.")]


def algorithms(name: Name = "", kind: Kind = None, cpu: Cpu = False, json_output: Json = False) -> None:
    """List groups and signature algorithms: codepoints, sizes, what the stack has of them, and their CPU time."""
    from pqbed_cli.render.algorithms import print_algorithms
    from pqbed_cli.workflows.algorithms import list_algorithms, read_kind

    listed = list_algorithms(name, read_kind(kind), cpu=cpu)
    print_algorithms(listed, cpu=cpu, json_output=json_output)
