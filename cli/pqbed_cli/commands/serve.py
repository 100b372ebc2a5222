from pqbed.errors import HostError
from pqbed_cli.options import ServeOptions, takes


@takes(ServeOptions)
def serve(options: ServeOptions) -> None:
    """Show the runs of a folder in a browser. Watch, start, stop, resume and compare sweeps, on this host alone."""
    try:
        from pqbed_cli.serve.server import serve as serve_runs
    except ModuleNotFoundError as error:
        raise HostError(f"pqbed serve needs {error.name}", 'install the extra: pip install "pqbed[web]"') from error
    serve_runs(options)
