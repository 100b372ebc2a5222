import typer

from pqbed_cli.flags import TABLE, Format
from pqbed_cli.options import StudyOptions, takes


@takes(StudyOptions)
def reproduce(options: StudyOptions, form: Format = TABLE) -> None:
    """Repeat a published study. Compare each published number with ours."""
    from pqbed_cli.render.study_verdicts import print_study
    from pqbed_cli.workflows import reproduce_study

    result = reproduce_study.reproduce(options)
    print_study(result, form)
    raise typer.Exit(result.exit_code)
