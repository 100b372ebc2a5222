"""The application: addresses, and what answers them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from pqbed.errors import PqbedError, SpecError
from pqbed.report.page.build_page import page_script, vega_bundle
from pqbed.reproduce.stored_plan import is_study
from pqbed_cli.serve.pages import asset, render
from pqbed_cli.serve.run_pages import RunPages
from pqbed_cli.serve.run_states import Runs
from pqbed_cli.serve.sweep_form import sweep_arguments, sweep_groups
from pqbed_cli.serve.sweep_processes import SweepProcesses, stop_writer

POLL_S = 1.0
# So that a closed page is noticed, and a proxy keeps the connection.
PING_S = 15.0
MOST_POSTED_BYTES = 100_000
_CACHED = {"cache-control": "private, max-age=3600"}


class Site:
    """The pages of one folder of runs below `base`, the address with the token."""

    def __init__(self, runs: Runs, processes: SweepProcesses, base: str) -> None:
        self._runs, self._processes, self._base = runs, processes, base
        self._pages = RunPages(runs, base)

    def application(self) -> Starlette:
        one = f"{self._base}runs/{{name}}"
        routes = [
            Route(self._base, self.index),
            Route(f"{self._base}events", self.events),
            Route(f"{self._base}compare", self.compare),
            Route(f"{self._base}sweeps", self.start, methods=["POST"]),
            Route(f"{self._base}starts/{{name}}", self.started),
            Route(f"{self._base}starts/{{name}}/events", self.start_events),
            Route(one, self.report),
            Route(f"{one}/report", self.saved_report),
            Route(f"{one}/events", self.run_events),
            Route(f"{one}/stop", self.stop, methods=["POST"]),
            Route(f"{one}/resume", self.resume, methods=["POST"]),
            *(Route(f"{self._base}{name}", _script(text)) for name, text in _SCRIPTS.items()),
        ]
        return Starlette(routes=routes, exception_handlers={PqbedError: self._refuse})

    def index(self, _request: Request) -> Response:
        return HTMLResponse(self._index({}, None))

    def report(self, request: Request) -> Response:
        return HTMLResponse(self._pages.report(self._name(request), request.query_params.get("metric")))

    def saved_report(self, request: Request) -> Response:
        name = self._name(request)
        page = self._pages.report(name, request.query_params.get("metric"), framed=False)
        return HTMLResponse(page, headers={"content-disposition": f'attachment; filename="{name}.html"'})

    def compare(self, request: Request) -> Response:
        query = request.query_params
        a, b = (self._known(query.get(side, "")) for side in "ab")
        return HTMLResponse(self._pages.compare(a, b, query.get("across", ""), query.get("metric")))

    async def start(self, request: Request) -> Response:
        typed = await _posted(request)
        try:
            arguments = await run_in_threadpool(sweep_arguments, typed, str(self._runs.folder))
        except SpecError as error:
            page = await run_in_threadpool(self._index, typed, error)
            return HTMLResponse(page, status_code=422)
        return self._see(f"starts/{self._processes.start(arguments)}")

    def started(self, request: Request) -> Response:
        name = request.path_params["name"]
        start = self._processes.look(name)
        if start is None:
            raise HTTPException(404)
        return HTMLResponse(render("start.html.j2", base=self._base, title="A sweep", name=name, start=start))

    def stop(self, request: Request) -> Response:
        name = self._name(request)
        stop_writer(self._runs.folder / name)
        return self._see(f"runs/{name}")

    def resume(self, request: Request) -> Response:
        path = self._runs.folder / self._name(request)
        command = "reproduce" if is_study(path) else "sweep"
        start = self._processes.start([command, f"--resume={path}", f"--out={self._runs.folder}"])
        return self._see(f"starts/{start}")

    def events(self, request: Request) -> Response:
        def look() -> Mapping[str, Any]:
            return {"stamp": "|".join(f"{run.name} {run.state} {run.taken}" for run in self._runs.states())}

        return _stream(request, look)

    def run_events(self, request: Request) -> Response:
        name = self._name(request)

        def look() -> Mapping[str, Any]:
            state = self._runs.state(name)
            return {**state.to_event(), "stamp": self._pages.stamp(state)}

        return _stream(request, look)

    def start_events(self, request: Request) -> Response:
        name = request.path_params["name"]

        def look() -> Mapping[str, Any]:
            start = self._processes.look(name)
            if start is None:
                return {"stamp": ""}
            address = f"{self._base}runs/{start.run}"
            return {"run": start.run, "address": address, "stamp": f"{len(start.log)} {start.exit_code}"}

        return _stream(request, look)

    def _index(self, typed: Mapping[str, str], refused: SpecError | None) -> str:
        return render(
            "index.html.j2",
            base=self._base,
            title="Runs",
            folder=str(self._runs.folder),
            runs=self._runs.states(),
            groups=sweep_groups(),
            typed={name: text for name, text in typed.items() if text},
            refused=refused,
        )

    def _name(self, request: Request) -> str:
        return self._known(request.path_params["name"])

    def _known(self, name: str) -> str:
        """Return the name of a run of the folder: nothing else in a path is ever opened."""
        if name not in self._runs.names():
            raise SpecError(
                f"there is no run {name!r} here" if name else "choose two runs, an A and a B", "see all runs"
            )
        return name

    def _see(self, path: str) -> Response:
        return RedirectResponse(f"{self._base}{path}", status_code=303)

    def _refuse(self, _request: Request, error: Exception) -> Response:
        return HTMLResponse(
            render("error.html.j2", base=self._base, title="Not possible", error=error), status_code=400
        )


async def _posted(request: Request) -> dict[str, str]:
    """Return the fields of a form; one that is larger than any of ours is refused."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_POSTED_BYTES:
            raise HTTPException(413)
    return dict(parse_qsl(body.decode(errors="replace")))


def _stream(request: Request, look: Callable[[], Mapping[str, Any]]) -> Response:
    """Answer with an event each time that what `look` returns has changed."""

    async def events() -> AsyncIterator[str]:
        last, silent_s = "", 0.0
        while not await request.is_disconnected():
            now = json.dumps(await run_in_threadpool(look))
            if now != last:
                last, silent_s = now, 0.0
                yield f"data: {now}\n\n"
            elif silent_s >= PING_S:
                silent_s = 0.0
                yield ": here\n\n"
            await asyncio.sleep(POLL_S)
            silent_s += POLL_S

    return StreamingResponse(events(), media_type="text/event-stream")


def _script(text: Callable[[], str]) -> Callable[[Request], Response]:
    return lambda _request: Response(text(), media_type="text/javascript", headers=_CACHED)


_SCRIPTS: Mapping[str, Callable[[], str]] = {
    "vega.js": vega_bundle,
    "charts.js": page_script,
    "live.js": lambda: asset("live.js"),
}
