import ast
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pqbed.spec
from pqbed.errors import SpecError
from pqbed.plan import plan_sweep
from pqbed.spec.builtin_profiles import builtin_profiles
from pqbed.spec.link import PPM, Distribution, GilbertElliott, Layout, PlainLimit, RandomLoss, Segmentation
from pqbed.spec.presets import preset
from pqbed.spec.profile import LARGEST_WIRE_BYTES, Chain, ChainCertificate, Profile
from pqbed.spec.run_options import BedChoice, Clock, RunOptions
from pqbed.spec.stacks import known_stacks
from pqbed.spec.sweep import Sweep
from pqbed.spec.sweep_checks import MOST_CELLS, cell_count
from pqbed.spec.sweep_toml import read_run_sweep, read_spec, samples_given, sweep_from, sweep_to_toml
from support.units import MS


def test_the_first_command_needs_nothing_else() -> None:
    sweep, options = sweep_from({"rtt": "35,200", "loss": "0,1,3,10"}, bare=True)
    assert sweep.rtt_ns == (35 * MS, 200 * MS)
    assert sweep.loss == tuple(RandomLoss(probability_ppm=share) for share in (0, 10_000, 30_000, 100_000))
    assert sweep.bandwidth_bps == (10**6, 10**9)
    assert sweep.size_bytes == (0, 51_200, 102_400, 153_600, 204_800)
    assert [profile.name for profile in sweep.profiles] == ["classical", "pq"]
    assert sweep.initcwnd == (10,)
    assert options == RunOptions()


def test_the_defaults_of_the_file_are_those_of_the_value() -> None:
    sweep, _ = sweep_from({})
    plain = Sweep(
        name=sweep.name,
        rtt_ns=(35 * MS, 200 * MS),
        bandwidth_bps=sweep.bandwidth_bps,
        profiles=sweep.profiles,
        size_bytes=sweep.size_bytes,
        samples=1,
        aa=True,
    )
    assert sweep == plain


def test_flags_and_file_end_in_the_same_sweep() -> None:
    flags = {
        "rtt": "35,200",
        "loss": "1,ge:1/10",
        "bandwidth": "1,none",
        "size": "50",
        "initcwnd": "10,20",
        "queue": "500,limit:1000",
        "layout": "ends,router",
    }
    file = {
        "rtt": ["35ms", "0.2s"],
        "loss": ["1%", "ge:1%/10%"],
        "bandwidth": ["1mbit", "none"],
        "size": ["50KiB"],
        "initcwnd": [10, 20],
        "queue": [500, "limit:1000"],
        "layout": ["ends", "router"],
    }
    assert sweep_from(flags, bare=True) == sweep_from(file)


def test_sides_and_directions_apart() -> None:
    flags = {
        "bandwidth": "16",
        "bandwidth_up": "1,same,none",
        "loss_up": "0,same,ge:1/10",
        "initcwnd_client": "10,same",
        "congestion_control": "cubic,bbr",
        "congestion_control_client": "same,reno",
    }
    sweep, _ = sweep_from(flags, bare=True)
    assert sweep.bandwidth_up_bps == (10**6, None, 0)
    burst = GilbertElliott(enter_bad_ppm=10_000, leave_bad_ppm=100_000)
    assert sweep.loss_up == (RandomLoss(), None, burst)
    assert sweep.initcwnd_client == (10, None)
    assert sweep.congestion_control == ("cubic", "bbr")
    assert sweep.congestion_control_client == (None, "reno")
    assert sweep_from({})[0].bandwidth_up_bps == (None,)
    assert sweep_from({})[0].loss_up == (None,)


@pytest.mark.parametrize("typed", ["1.1", 1.1, ["1.1"], [1.1]])
def test_http_is_1_1_however_it_is_written(typed: object) -> None:
    assert sweep_from({"http": typed}, bare=True) == sweep_from({})


def test_flags_are_laid_over_the_file() -> None:
    file = {"rtt": ["10ms"], "loss": ["5%"], "run": {"bed": "uml", "lanes": 2}}
    sweep, options = sweep_from(
        {"rtt": "20", "loss": None, "run": {"bed": "fake", "clock": None}}, bare=True, under=file
    )
    assert sweep.rtt_ns == (20 * MS,)
    assert sweep.loss == (RandomLoss(probability_ppm=50_000),)
    assert options == RunOptions(bed="fake", lanes=2)


def test_a_file_needs_units_even_below_flags() -> None:
    with pytest.raises(SpecError, match="rtt: '35' has no unit"):
        sweep_from({"loss": "1"}, bare=True, under={"rtt": [35]})


def test_samples() -> None:
    assert sweep_from({})[0].samples == 1
    assert sweep_from({}, default_samples=30)[0].samples == 30
    assert sweep_from({"samples": 7}, default_samples=30)[0].samples == 7
    assert sweep_from({"samples": "7"})[0].samples == 7
    assert samples_given({"rtt": "1"}, {"samples": 3})
    assert samples_given(preset("demo"))
    assert not samples_given({"samples": None}, None, preset("default"))


def test_run_options() -> None:
    run = {"bed": "uml", "clock": "virtual", "lanes": 3, "out": "elsewhere"}
    assert sweep_from({"run": run})[1] == RunOptions(bed="uml", clock="virtual", lanes=3, out="elsewhere")


def test_own_profiles() -> None:
    table = {"group": "SecP384R1MLKEM1024", "chain": {"algorithm": "mldsa87", "depth": 3}}
    file = {"profile": ["classical", "mine"], "profiles": {"mine": table}}
    mine = Profile(name="mine", group="SecP384R1MLKEM1024", chain=Chain(algorithm="mldsa87", depth=3))
    assert sweep_from({}, under=file)[0].profiles == (builtin_profiles()["classical"], mine)
    assert sweep_from({"profile": "mine"}, under=file)[0].profiles == (mine,)


def test_chains_are_mixed_padded_and_sent_by_clients() -> None:
    table: dict[str, Any] = {
        "group": "X25519MLKEM768",
        "chain": {"algorithm": "mldsa44", "intermediate": "mldsa65", "wire_bytes": 20000},
        "mutual": True,
        "client_chain": {"algorithm": "p256", "depth": 1},
    }
    (mine,) = sweep_from({"profile": "mine"}, under={"profiles": {"mine": table}})[0].profiles
    assert mine == Profile(
        name="mine",
        group="X25519MLKEM768",
        chain=Chain(algorithm="mldsa44", intermediate="mldsa65", wire_bytes=20_000),
        mutual=True,
        client_chain=Chain(algorithm="p256", depth=1),
    )


def test_each_certificate_of_a_chain_is_named_and_written_back() -> None:
    text = """
        profile = ["mine"]
        [profiles.mine]
        group = "X25519MLKEM768"
        [profiles.mine.chain]
        scts = 2
        root = "p384"
        [[profiles.mine.chain.certificate]]
        algorithm = "p256"
        [[profiles.mine.chain.certificate]]
        algorithm = "rsa4096"
        der_bytes = 1500
    """
    sweep, options = sweep_from({}, under=tomllib.loads(text))
    named = (ChainCertificate(algorithm="p256"), ChainCertificate(algorithm="rsa4096", der_bytes=1500))
    assert sweep.profiles[0].chain == Chain(certificate=named, scts=2, root="p384")
    assert (sweep.profiles[0].chain.algorithm, sweep.profiles[0].chain.depth) == ("p256", 2)
    written = tomllib.loads(sweep_to_toml(sweep, options))
    assert set(written["profiles"]["mine"]["chain"]) == {"certificate", "scts", "sct_bytes", "root"}
    assert sweep_from(written) == (sweep, options)


def test_a_builtin_profile_may_be_said_again_but_not_changed() -> None:
    table: dict[str, Any] = {"group": "X25519", "chain": {"algorithm": "rsa2048"}}
    assert sweep_from({"profiles": {"classical": table}}) == sweep_from({})
    with pytest.raises(SpecError, match="profile 'classical' is there already"):
        sweep_from({"profiles": {"classical": {**table, "group": "P-256"}}})


P256: dict[str, Any] = {"algorithm": "p256"}


def chained(**chain: Any) -> dict[str, object]:
    return {"profile": "a", "profiles": {"a": {"group": "x", "chain": chain}}}


@pytest.mark.parametrize(
    ("raw", "message", "hint"),
    [
        ({"rrt": "1ms"}, "there is no option 'rrt'", "did you mean 'rtt'?"),
        ({"run": {"lane": 1}}, "there is no option 'run.lane'", "did you mean 'lanes'?"),
        ({"run": {"bed": "dockr"}}, "there is no bed 'dockr'", "did you mean 'docker'?"),
        ({"run": {"clock": "fast"}}, "there is no clock 'fast'", "choose from real, virtual"),
        ({"run": {"lanes": 0}}, "lanes: '0' is out of range", "from 1 to"),
        ({"run": {"out": ""}}, "run.out", ""),
        ({"run": 3}, "run is not a table", "[run]"),
        ({"profile": "hybird"}, "there is no profile 'hybird'", "did you mean 'hybrid'?"),
        ({"profiles": ["pq"]}, "profiles is not a table", "profile = [...]"),
        ({"profiles": {"a b": {}}}, "'a b' cannot be a name", "letters"),
        ({"profiles": {"a": {"group": "X25519"}}}, "profiles.a.chain is missing", "value"),
        ({"profiles": {"a": {"gruop": "X25519", "chain": {"algorithm": "p256"}}}}, "profiles.a", ""),
        (
            {"profiles": {"a": {"group": "x", "chain": {"algorithm": "p256", "dept": 2}}}},
            "profiles.a.chain.dept",
            "'depth'",
        ),
        (
            {"profiles": {"a": {"group": "x", "chain": {"algorithm": "p256", "depth": 9}}}},
            "profiles.a.chain.depth: 9",
            "",
        ),
        (chained(algorithm="p256", wire_bytes=102_405), "profiles.a.chain.wire_bytes: 102405", ""),
        (chained(algorithm="p256", wire_bytes=0), "profiles.a.chain.wire_bytes: 0", ""),
        (chained(algorithm="p256", wire_bytes="16 KB"), "profiles.a.chain.wire_bytes: '16 KB'", ""),
        (chained(algorithm="p256", intermediat="p384"), "profiles.a.chain.intermediat", "'intermediate'"),
        (
            chained(algorithm="p256", intermediate="p384", depth=1),
            "names an intermediate in a chain of depth 1",
            "depth = 2",
        ),
        (
            {"profile": "a", "profiles": {"a": {"group": "x", "chain": P256, "client_chain": P256}}},
            "profile 'a' has a client_chain",
            "mutual = true",
        ),
        ({"rtt": True}, "rtt: True is neither a text nor a number", ""),
        ({"rtt": {"ms": 1}}, "rtt: {'ms': 1} is neither", ""),
        ({"rtt": []}, "rtt: there is no value", ""),
        ({"rtt": [float("nan")]}, "rtt: 'nan' is not a duration", ""),
        ({"name": "../up"}, "'../up' cannot be the name of a sweep", "letters"),
        ({"congestion_control": "a b"}, "cannot be a congestion control", ""),
        ({"bandwidth_up": "0bit"}, "bandwidth_up: '0bit' would let nothing through", "none"),
        ({"loss_up": "same,same"}, "loss_up: 'same' repeats", ""),
        ({"initcwnd_client": 0}, "initcwnd_client: '0' is out of range", ""),
        ({"congestion_control_client": "a b"}, "'a b' cannot be a congestion control", ""),
        ({"layout": "routers"}, "'routers'", "router"),
        ({"http": "3", "layout": "ends"}, "--http 3 takes --layout router", "leave out --layout"),
        ({"http": ["1.1", 3], "segmentation": "host"}, "--http 3 takes --segmentation wire", "leave out"),
        ({"http": "0.9"}, "http: there is no HTTP version '0.9'", "choose from 1.1, 2, 3"),
        ({"http": "1.1,1.1"}, "http: '1.1' repeats", ""),
        ({"samples": 1.5}, "samples: '1.5' is not a whole number", ""),
        ({"seed": -1}, "seed: '-1' is not a whole number", "from 0"),
        ({"mtu": 100}, "mtu: '100' is out of range", "from 576"),
        ({"jitter": "20ms"}, "--jitter 20ms (uniform) at --rtt 35ms reaches below zero", "at most 18.64ms"),
        (
            {"jitter": "17.5ms", "distribution": "normal"},
            "the mean RTT would be 37.93ms (+8.4%)",
            "give a jitter of at most ",
        ),
        ({"distribution": "normal"}, "--distribution normal has no effect without --jitter", "above 0"),
        ({"rtt": [f"{n}ms" for n in range(1, 30_000)]}, "at most 100000 are allowed", "shorten"),
    ],
)
def test_refusals(raw: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        sweep_from(raw)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message


def test_a_sweep_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text('rtt = ["35ms"]\n[run]\nbed = "fake"\n')
    assert read_spec(path) == {"rtt": ["35ms"], "run": {"bed": "fake"}}


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"cannot read the sweep file .*absent.toml: No such file"):
        read_spec(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("rtt = 35ms\n")
    with pytest.raises(SpecError, match=r"broken.toml is not TOML: .*line 1"):
        read_spec(broken)
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match=r"broken.toml is not TOML"):
        read_spec(broken)


def test_only_the_modules_that_read_text_import_pydantic() -> None:
    room = Path(pqbed.spec.__file__).parent
    users = {path.name for path in room.rglob("*.py") if "pydantic" in _imports(path)}
    assert users == {"sweep_toml.py", "sweep_form.py", "study_toml.py"}


def _imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
SHARES = st.integers(0, PPM)
SOME = st.integers(1, PPM)
LOSSES = st.builds(RandomLoss, probability_ppm=SHARES) | st.builds(
    GilbertElliott, enter_bad_ppm=SOME, leave_bad_ppm=SOME, loss_in_bad_ppm=SHARES, loss_in_good_ppm=SHARES
)
CHAINS = st.builds(
    Chain,
    algorithm=NAMES,
    depth=st.integers(2, 8),
    intermediate=st.none() | NAMES,
    wire_bytes=st.none() | st.integers(1, LARGEST_WIRE_BYTES),
) | st.builds(Chain, algorithm=NAMES, depth=st.just(1))
STACKS = st.sampled_from(list(known_stacks()))
OWN_PROFILES = st.builds(
    Profile,
    name=NAMES.filter(lambda name: name not in builtin_profiles()),
    group=NAMES,
    chain=CHAINS,
    stack=STACKS,
    client_stack=st.none() | STACKS,
    mutual=st.just(True),
    client_chain=st.none() | CHAINS,
) | st.builds(
    Profile,
    name=NAMES.filter(lambda name: name not in builtin_profiles()),
    group=NAMES,
    chain=CHAINS,
    stack=STACKS,
    client_stack=st.none() | STACKS,
    mutual=st.booleans(),
)
PROFILES = OWN_PROFILES | st.sampled_from(list(builtin_profiles().values()))


def axis(values: st.SearchStrategy[Any], **how: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    # Two values an axis stay below the limit on cells.
    return st.lists(values, min_size=1, max_size=2, unique=True, **how).map(tuple)


QUEUES = st.integers(1, 1_000_000) | st.builds(PlainLimit, packets=st.integers(1, 1_000_000))


@st.composite
def sweeps(draw: st.DrawFn) -> Sweep:
    rtts = draw(axis(st.integers(0, 60 * 10**9)))
    cut_jitter = draw(st.booleans())
    jitters = draw(axis(st.integers(0, min(rtts) // (2 if cut_jitter else 8))))
    return Sweep(
        name=draw(NAMES),
        rtt_ns=rtts,
        profiles=draw(st.lists(PROFILES, min_size=1, max_size=3, unique_by=lambda p: p.name).map(tuple)),
        bandwidth_bps=draw(axis(st.none() | st.integers(1_000, 100 * 10**9))),
        loss=draw(axis(LOSSES)),
        jitter_ns=jitters,
        distribution=draw(axis(st.sampled_from(get_args(Distribution)))) if any(jitters) else ("uniform",),
        queue_packets=draw(axis(QUEUES)),
        segmentation=draw(axis(st.sampled_from(get_args(Segmentation)))),
        layout=draw(axis(st.sampled_from(get_args(Layout)))),
        initcwnd=draw(axis(st.integers(1, 1000))),
        size_bytes=draw(axis(st.integers(0, 2**30))),
        bandwidth_up_bps=draw(axis(st.none() | st.just(0) | st.integers(1_000, 100 * 10**9))),
        loss_up=draw(axis(st.none() | LOSSES)),
        initcwnd_client=draw(axis(st.none() | st.integers(1, 1000))),
        congestion_control=draw(axis(NAMES)),
        congestion_control_client=draw(axis(st.none() | NAMES.filter(lambda name: name != "same"))),
        initrwnd=draw(axis(st.integers(0, 1000))),
        mtu=draw(axis(st.integers(576, 9216))),
        samples=draw(st.integers(1, 1_000_000)),
        aa=draw(st.booleans()),
        seed=draw(st.integers(0, 2**63 - 1)),
        timeout_ns=draw(st.integers(MS, 3600 * 10**9)),
        cut_jitter=cut_jitter,
    )


ALLOWED_SWEEPS = sweeps().filter(lambda sweep: cell_count(sweep) <= MOST_CELLS)
OPTIONS = st.builds(
    RunOptions,
    bed=st.sampled_from(get_args(BedChoice)),
    clock=st.none() | st.sampled_from(get_args(Clock)),
    lanes=st.none() | st.integers(1, 1024),
    out=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)


@given(ALLOWED_SWEEPS, OPTIONS)
def test_a_sweep_written_as_toml_reads_back_the_same(sweep: Sweep, options: RunOptions) -> None:
    assert sweep_from(tomllib.loads(sweep_to_toml(sweep, options))) == (sweep, options)


@given(ALLOWED_SWEEPS)
def test_a_sweep_reads_back_whatever_file_it_is_laid_over(sweep: Sweep) -> None:
    resolved = tomllib.loads(sweep_to_toml(sweep, RunOptions()))
    assert sweep_from(resolved, bare=True, under=preset("demo")) == (sweep, RunOptions())


def test_the_count_of_cells_is_that_of_the_plan() -> None:
    sweep, _ = sweep_from({"rtt": "35,200", "loss": "0,1,3,10", "jitter": "0,1"}, bare=True)
    assert cell_count(sweep) == len(plan_sweep(sweep).cells)


def test_a_profile_with_the_name_of_the_aa_arm_is_refused_unless_there_is_none() -> None:
    raw = {
        "profile": ["classical", "classical-again"],
        "profiles": {"classical-again": {"group": "X25519", "chain": {"algorithm": "p256"}}},
    }
    with pytest.raises(SpecError, match="name of the A/A arm, the second copy of 'classical'") as raised:
        sweep_from(raw)
    assert "--no-aa" in raised.value.hint
    sweep, _ = sweep_from({**raw, "aa": False})
    assert [profile.name for profile in sweep.arms] == raw["profile"]


def test_the_sweep_file_of_an_old_run_has_no_aa_arm(tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_text('rtt = "35ms"\n')
    (tmp_path / "new.toml").write_text('rtt = "35ms"\naa = true\n')
    assert not read_run_sweep(tmp_path / "old.toml")[0].aa
    assert read_run_sweep(tmp_path / "new.toml")[0].aa
