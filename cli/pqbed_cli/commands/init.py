import sys
from dataclasses import replace

import typer

from pqbed_cli.options import InitOptions, takes


@takes(InitOptions)
def init(options: InitOptions) -> None:
    """Write a first sweep file. Asks five questions on a terminal, unless flags answer them."""
    from pqbed_cli.render.sweep_file import print_sweep_file
    from pqbed_cli.workflows import init as workflow

    if sys.stdin.isatty() and not options.yes:
        options = _ask(options)
    print_sweep_file(workflow.write_sweep_file(options, options.preset or workflow.DEFAULT_PRESET))


def _ask(options: InitOptions) -> InitOptions:
    """Ask for what no flag says, with the values of the preset as defaults."""
    from pqbed_cli.workflows import init as workflow

    name = options.preset or typer.prompt("Preset to start from (`pqbed presets`)", workflow.DEFAULT_PRESET, err=True)
    usual = workflow.answers_of(name)

    def answer(option: str, question: str, given: str | None) -> str | None:
        return given if given is not None or option not in usual else typer.prompt(question, usual[option], err=True)

    axes = dict(options.axes)
    links = "link" if "link" in usual else "rtt"
    question = "Named links (`pqbed links`)" if links == "link" else "Round-trip times"
    for option, words in ((links, question), ("size", "Response sizes")):
        if not (option == "link" and "rtt" in axes) and (text := answer(option, words, axes.get(option))) is not None:
            axes[option] = text
    return replace(
        options,
        preset=name,
        axes=axes,
        profile=answer("profile", "TLS profiles, the baseline first", options.profile),
        samples=answer("samples", "Samples per cell", options.samples),
    )
