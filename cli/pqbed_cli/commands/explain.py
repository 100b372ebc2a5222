import typer

from pqbed_cli.exits import SOME_FAILED
from pqbed_cli.flags import Json
from pqbed_cli.options import ExplainOptions, takes


@takes(ExplainOptions)
def explain(options: ExplainOptions, json_output: Json = False) -> None:
    """Explain why a profile costs what it does. Bytes, round trips and windows, beside what was measured."""
    from pqbed_cli.render.explain import print_explanation
    from pqbed_cli.workflows import explain as workflow

    explanation = workflow.explain(options)
    print_explanation(explanation, json_output=json_output)
    if explanation.below_floor:
        raise typer.Exit(SOME_FAILED)
