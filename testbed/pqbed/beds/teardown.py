"""Teardown: what `pqbed down` removes from container engines, whose it is, the session file, and temporary folders.

It asks the engine that the session remembers, and the configured one for what a killed process left there.
"""

from pqbed.beds.choose_bed import bed_choice
from pqbed.beds.docker.endpoint import DockerEndpoint, docker_endpoint
from pqbed.beds.docker.labels import owner_name
from pqbed.beds.host_checks import probe_engine
from pqbed.beds.leftovers import remove_leftovers
from pqbed.beds.make_bed import clean_engine, engine_owners
from pqbed.beds.up_session import Session, find_session, forget_session, state_path
from pqbed.errors import EngineError, StoreError

BEDS_ON_ENGINES = ("auto", "docker", "uml")


def remove_all(choice: str | None = None, *, everyone: bool = False, images: bool = False) -> tuple[str, ...]:
    """Remove what this user has on engines, the session file and abandoned temporary folders; return their names.

    Needs no session, so that it also removes what a killed process left. `everyone`: that of all users. `images`: also
    all images of pqbed. `choice` other than docker, uml or auto leaves engines alone, and a session on one. Safe to
    call twice. Raises EngineError if the engine of the session does not answer; the session is kept.
    """
    session = _session()
    on_engines = choice is None or bed_choice(choice) in BEDS_ON_ENGINES
    owner = None if everyone else owner_name()
    removed: list[str] = []
    for endpoint in _engines(session) if on_engines else ():
        removed += [_located(name, endpoint) for name in clean_engine(endpoint, owner, images=images)]
    if on_engines or session is None or session.engine is None:
        removed += [str(state_path())] if forget_session() else []
    removed += [f"folder {folder}" for folder in remove_leftovers()]
    return tuple(removed)


def owners() -> dict[str, tuple[str, ...]]:
    """Return everything of pqbed on the engines that `remove_all` would ask, by owner ("": nobody's)."""
    result: dict[str, tuple[str, ...]] = {}
    for endpoint in _engines(_session()):
        for owner, names in engine_owners(endpoint).items():
            result[owner] = (*result.get(owner, ()), *(_located(name, endpoint) for name in names))
    return result


def _session() -> Session | None:
    try:
        return find_session()
    except StoreError:
        return None  # what cannot be read names no engine


def _engines(session: Session | None) -> tuple[DockerEndpoint, ...]:
    """Return the session's engine, then the configured one if it is another and answers."""
    recorded = None if session is None else session.engine
    if recorded is not None:
        reason = probe_engine(recorded).reason
        if reason:
            raise EngineError(
                f"the bed is up on an engine that does not answer ({reason})",
                hint=f"start that engine and repeat; or remove {state_path()}, and what is left there stays",
            )
    try:
        configured = docker_endpoint()
    except EngineError:
        if recorded is None:
            raise
        return (recorded,)
    if recorded == configured:
        return (configured,)
    answering = (configured,) if probe_engine(configured).info is not None else ()
    return (*(() if recorded is None else (recorded,)), *answering)


def _located(name: str, endpoint: DockerEndpoint) -> str:
    """Name the engine too where it is not the one that a reader expects."""
    try:
        expected = docker_endpoint() == endpoint
    except EngineError:
        expected = False
    return name if expected else f"{name} on {endpoint.host}"
