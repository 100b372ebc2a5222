from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import AlgorithmOptions, takes


@takes(AlgorithmOptions)
def algorithms(options: AlgorithmOptions, form: Format = TABLE) -> None:
    """List key-exchange groups and signatures. Codepoints, sizes, support by the stack, and CPU time."""
    from pqbed_cli.render.algorithms import print_algorithms
    from pqbed_cli.workflows.algorithms import list_algorithms

    print_algorithms(list_algorithms(options), form)
