"""Figures that move: their numbers are the package's, and everybody can use them.

The scripts are loaded from their files into a bare page, so that no book has to be built first.
"""

import json
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "book" / "_static"
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import scene  # noqa: E402  (the book's extensions are no package)
import scene_drawing  # noqa: E402

from sgdescape import anomalous_diffusion as ad  # noqa: E402
from sgdescape import kramers_escape as ke  # noqa: E402
from sgdescape import large_deviations as ld  # noqa: E402
from sgdescape import linear_regression as lr  # noqa: E402
from sgdescape import modified_loss as ml  # noqa: E402
from sgdescape import momentum_escape as me  # noqa: E402
from sgdescape import noise_covariance as nc  # noqa: E402
from sgdescape import random_time_change as rtc  # noqa: E402
from sgdescape import underdamped_langevin as ul  # noqa: E402

NAMES = scene.scripts()
each_scene = pytest.mark.parametrize("name", NAMES)
LARGEST = 30_000  # bytes of a script


# --- files, stills, directive ----------------------------------------------------------------


def test_there_are_ten_scenes_each_with_a_still_and_a_page():
    assert len(NAMES) >= 10
    assert sorted(scene_drawing.STILLS) == NAMES
    text = "\n".join(p.read_text() for p in (ROOT / "book").glob("**/*.md"))
    assert sorted(re.findall(r"^```\{scene\} (\w+)$", text, re.M)) == NAMES


@each_scene
def test_scripts_are_small_and_ask_for_nothing(name):
    script = (STATIC / "scenes" / f"{name}.js").read_text()
    assert len(script.encode()) < LARGEST
    assert re.findall(r"https?:|fetch\(|import\(|XMLHttp|eval\(|innerHTML", script) == []
    assert f"sgdescape.scenes.{name} =" in script and f'sgdescape.stage("{name}"' in script


@each_scene
def test_stills_follow_the_page_and_their_names_are_their_own(name):
    svg = scene_drawing.svg(name)
    assert not set(scene_drawing.INKS.values()) & set(re.findall(r"#[0-9a-f]{6}", svg))
    assert "var(--scene-ink)" in svg and "<text" in svg and 'aria-hidden="true"' in svg
    assert all(i.startswith(f"{name}-") for i in re.findall(r'id="([^"]+)"', svg))
    used = re.findall(r'(?:href="|url\()#([^")]+)', svg)
    assert set(used) <= set(re.findall(r'id="([^"]+)"', svg))


def test_plain_notebooks_show_the_caption():
    cell = "Before.\n\n```{scene} spiral\n:alt: A spiral in the plane.\nWhat turns?\n```\n\nAfter."
    shown = scene.as_text(cell)
    assert "What turns?" in shown and "{scene}" not in shown and "A spiral" not in shown


def test_scripts_are_loaded_where_their_scene_is():
    def loaded(body):
        context = {
            "body": body,
            "script_files": ["_static/quiet.js", "_static/scene.js", "_static/scenes/spiral.js"],
            "pathto": lambda file, _: file,
        }
        scene.load(None, "page", "", context, None)
        return context["script_files"], re.findall(r'src="([^"]+)"', context["body"])

    assert loaded("<p>text</p>") == (["_static/quiet.js"], [])
    assert loaded('<figure data-scene="spiral">') == (
        ["_static/quiet.js"],
        ["_static/scene.js", "_static/scenes/spiral.js"],
    )


def test_values_of_the_map_are_the_packages():
    table = scene_drawing.values("escape_map")
    row = table["dampings"].index(0.5)
    exact = me.barrier(np.array(table["ratios"]), damping=0.5)
    np.testing.assert_allclose(table["barriers"][row], exact, rtol=1e-6)
    np.testing.assert_allclose(table["strong"], ld.quasi_potential(table["ratios"]), rtol=1e-6)
    np.testing.assert_allclose(table["tails"], me.tail_slope(table["dampings"]), rtol=1e-6)
    assert table["tailsEnd"] == me.tail_slope(np.inf)


# --- in a browser: numbers -------------------------------------------------------------------

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking".split()
browser_test = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, f"no browser: install one of {BROWSERS}"
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


def bare_page(name, theme="light"):
    """One scene as the directive writes it, on a page without a theme."""
    files = ["scene.js", f"scenes/{name}.js"]
    tags = "".join(f'<script defer src="{(STATIC / f).as_uri()}"></script>' for f in files)
    ground, ink = {"light": ("#fff", "#000"), "dark": ("#14181e", "#fff")}[theme]
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Scene</title>'
        f'<link rel="stylesheet" href="{(STATIC / "scene.css").as_uri()}">'
        f"<style>body {{ background: {ground}; color: {ink}; margin: 8px; font: 16px sans-serif }} "
        "* { box-sizing: border-box }</style><main><h1>Scene</h1>"
        f"{scene.opening(name, 'What the picture shows')}<p>Caption.</p></figcaption></figure>"
        f"</main>{tags}</html>"
    )


@pytest.fixture
def visit(browser, tmp_path_factory):
    """Open one scene; at the end its window closes, or its figure would move on and on."""
    folder, contexts = tmp_path_factory.mktemp("scenes"), []

    def opened(name, theme="light", width=1000, **options):
        path = folder / f"{name}-{theme}.html"
        path.write_text(bare_page(name, theme), encoding="utf-8")
        view = {"width": width, "height": 900}
        contexts.append(browser.new_context(viewport=view, **options))
        tab = contexts[-1].new_page()
        tab.set_default_timeout(180_000)  # ms: a busy machine is slow, not wrong
        seen = SimpleNamespace(tab=tab, messages=[], requests=[])
        tab.on("console", lambda message: seen.messages.append(message.text))
        tab.on("pageerror", lambda error: seen.messages.append(str(error)))
        tab.on("request", lambda request: seen.requests.append(request.url))
        tab.goto(path.as_uri())
        if options.get("java_script_enabled", True):
            tab.wait_for_selector("[data-state=live]")
        return seen

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def script(visit):
    """Call a function of a scene with many lists of arguments."""

    def call(name, function, arguments):
        return visit(name, reduced_motion="reduce").tab.evaluate(
            "([name, f, calls]) => calls.map((a) => sgdescape.scenes[name][f](...a))",
            [name, function, arguments],
        )

    return call


def cases():
    """Function of a script, arguments, values of the package on the same grid."""
    c = [1.05, 1.5, 2.0, 3.0, 10.0, 24.0, 25.0, 60.0, 99.0]
    yield "climb_or_jump", "quasiPotential", [[x] for x in c], ld.quasi_potential(c)
    pairs = [(-0.75, 1.0), (0.0, 2.0), (1.5, -0.5), (1.5, 0.5), (-3.0, 7.0)]
    jumps = [ld.jump_cost([p], [d]) for p, d in pairs]
    yield "climb_or_jump", "jumpCost", [list(p) for p in pairs], jumps

    calls, rates, critical, growth = [], [], [], []
    for eta, batch, h, down, n in [(0.1, 1, 1, 1, 1), (0.3, 2, 0.5, 0.7, 9), (0.9, 1, 2, 3, 40)]:
        noise = {"learning_rate": eta, "batch_size": batch}
        at = dict(eta=eta, batch=batch, curvature=h, saddle=down, dimension=n)
        for ratio in (1.0, 1.7, 4.0):
            calls.append([ratio, at])
            rates.append(
                ke.escape_rate(
                    ratio, curvature_minimum=h, curvature_saddle=-down, effective_dimension=n,
                    **noise,
                )
            )  # fmt: skip
            critical.append(ke.critical_effective_dimension(curvature=h, **noise))
            growth.append(ke.growth_rate(n, curvature=h, **noise))
    yield "escape_rate", "escapeRate", calls, rates
    yield "escape_rate", "criticalDimension", [[a] for _, a in calls], critical
    yield "escape_rate", "growthRate", [[a] for _, a in calls], growth

    for theory, exact in (
        ("paper", lambda x, **k: lr.mean_first_passage_time(x, dimension=1, **k)),
        ("additive", lambda x, **k: lr.linear_barrier_time(x, dimension=1, **k)),
        ("covariance", lambda x, **k: lr.kurtosis_passage_time(x, kurtosis=1.8, **k)),
    ):
        grid = [(eta, b, x) for eta, b in ((0.3, 1), (0.1, 1), (0.1, 3)) for x in (1.3, 2.0, 4.0)]
        calls = [["bowl", theory, {"heat": e / b, "ratio": x, "kurtosis": 1.8}] for e, b, x in grid]
        times = [exact(x, learning_rate=e, batch_size=b) for e, b, x in grid]
        yield "escape_movie", "meanTime", calls, times
    for theory, name in (("paper",) * 2, ("covariance",) * 2, ("additive", "arrhenius")):
        grid = [(0.25, 4.0), (0.125, 4.0), (0.25, 2.0)]
        calls = [["circle", theory, {"heat": e, "ratio": 1 + 4 / v}] for e, v in grid]
        times = [ld.circle_sde_time(noise_variance=v, learning_rate=e, theory=name)
                 for e, v in grid]  # fmt: skip
        yield "escape_movie", "meanTime", calls, times

    t = np.array([0.1, 1.0, 7.0])
    calls = [[x, 3.0] for x in t.tolist()]
    yield "escape_movie", "density", calls, t * stats.expon(scale=3.0).pdf(t)

    losses = [0.5, 0.7, 2.0, 1.1, 0.6]
    yield "two_clocks", "internalTime", [[losses, 0.1]], [rtc.internal_time(losses, step=0.1)]
    yield "two_clocks", "physicalTime", [[losses, 0.1]], [rtc.physical_time(losses, step=0.1)]
    barriers = [[2.0, 0.5], [0.7, 0.7]]
    yield "two_clocks", "logBarrier", barriers, [rtc.log_barrier(*b) for b in barriers]
    phi = rtc.stationary_exponent(learning_rate=0.3, batch_size=2, curvature=0.5)
    yield "two_clocks", "stationaryExponent", [[dict(eta=0.3, batch=2, curvature=0.5)]], [phi]

    modes = [(0.1, 0.0, 2.0), (0.1, 0.9, 2.0), (1.0, 0.97, 0.0092), (0.5, 0.4, 1.0)]
    calls = [[dict(eta=e, beta=b, curvature=h)] for e, b, h in modes]
    at = [(h, {"learning_rate": e, "momentum": b}) for e, b, h in modes]
    rates = [ul.damping_rate(**k) for _, k in at]
    yield "spiral", "dampingRate", calls, rates
    yield "spiral", "dampingRatio", calls, [ul.damping_ratio(h, **k) for h, k in at]
    yield "spiral", "angularFrequency", calls, [ul.angular_frequency(h, **k) for h, k in at]
    critical = [ul.critical_momentum(h, learning_rate=e) for e, _, h in modes]
    yield "spiral", "criticalMomentum", calls, critical
    paths = [ul.mean(np.arange(41), h, 1.0, **k) for h, k in at]
    yield "spiral", "path", [[40, *call] for call in calls], paths
    spread = [ul.stationary_covariance(h, 1.0, batch_size=1, **k).diagonal() for h, k in at]
    yield "spiral", "stationaryVariance", calls, [dict(position=a, velocity=b) for a, b in spread]

    for drift, diffusion in (
        ([[2.5, -1.5], [-1.5, 2.5]], [[4.0, 0.0], [0.0, 1.0]]),
        ([[1.0, 2.0], [-2.0, 1.5]], [[1.0, 0.3], [0.3, 2.0]]),
        ([[0.0, -1.0], [2.2, 0.4]], [[0.0, 0.0], [0.0, 0.5]]),
    ):
        parts = ml.decompose(drift, diffusion)
        given = dict(precision=parts.precision.tolist(), circulation=parts.circulation.tolist())
        yield "modified_loss", "shape", [[drift, diffusion]], [parts.shape]
        found = dict(drift=drift, diffusion=diffusion, shape=parts.shape, **given)
        yield "modified_loss", "decompose", [[drift, diffusion]], [found]
        z = [0.7, -1.3]
        yield "modified_loss", "modifiedLoss", [[z, given]], [ml.modified_loss(z, parts)]
        flow = ml.probability_velocity(z, parts)
        yield "modified_loss", "probabilityVelocity", [[z, given]], [flow]
        yield "modified_loss", "arealRate", [[given]], [ml.areal_rates(parts)[0, 1]]
    drift, diffusion, _ = ml.process([2.0], [[2.0]], learning_rate=0.5, momentum=0.8, batch_size=1)
    mode = dict(eta=0.5, beta=0.8, curvature=2.0)
    yield "modified_loss", "oscillator", [[mode]], [[drift, diffusion]]

    rho, steps = ad.power_law_spectrum(12, 1.4), [1, 2, 3, 10, 64, 65, 300, 4000]
    yield "displacement", "spectrum", [[12, 1.4]], [rho]
    for beta in (0.0, 0.9, 0.99):
        at = {"learning_rate": 0.07, "momentum": beta, "batch_size": 3}
        exact = ad.mean_squared_displacement(steps, rho, 2 * rho, **at)
        mode = dict(curvatures=rho.tolist(), noise=(2 * rho).tolist(), eta=0.07, beta=beta, batch=3)
        yield "displacement", "displacement", [[steps, mode]], [exact]
        yield "displacement", "saturation", [[mode]], [ad.saturation(rho, 2 * rho, **at)]
        slopes = np.stack(ad.local_exponents(steps, exact), axis=1)
        yield "displacement", "localExponents", [[steps, exact.tolist()]], [slopes]
        yield "displacement", "firstExponent", [[beta]], [ad.first_exponent(beta)]

    yield "batches", "epochWeights", [[7]], [ad.epoch_weights(7)]
    for beta, h in ((0.0, 0.02), (0.9, 0.5)):
        at = {"learning_rate": 0.1, "momentum": beta, "batch_size": 2}
        mode = dict(eta=0.1, beta=beta, curvature=h, batch=2)
        exact = ad.mean_squared_displacement(np.arange(61), [h], 1.0, **at)
        yield "batches", "independent", [[60, mode]], [exact]
        exact = ad.shuffled_displacement([1, 5, 20, 37], [h], 1.0, steps_per_epoch=20, **at)
        yield "batches", "shuffled", [[[1, 5, 20, 37], mode, 20]], [exact]
        edge = ad.crossover_curvature(learning_rate=0.1, momentum=beta, steps_per_epoch=20)
        yield "batches", "crossoverCurvature", [[mode, 20]], [edge]
    x = [1e-4, 0.1, 3.0, 50.0]
    yield "batches", "shuffledFraction", [[v] for v in x], ad.shuffled_fraction(x)

    grid = [(c, k) for c in (1.0, 1.7, 4.0) for k in (1.0, 2.0, 3.0, 6.0)]
    calls = [[c, k] for c, k in grid]
    for name, function in (
        ("kurtosisNoise", nc.kurtosis_noise), ("decouplingRatio", nc.decoupling_ratio),
        ("diffusionBarrier", nc.diffusion_barrier),
    ):  # fmt: skip
        yield "noise_ellipse", name, calls, [function(c, kurtosis=k) for c, k in grid]
    traces = [nc.trace_ratio(c, kurtosis=k, directions=2) for c, k in grid]
    yield "noise_ellipse", "traceRatio", [[*call, 2] for call in calls], traces
    exact, along = zip(*(population(k) for k in (1, 2, 3)), strict=True)
    yield "noise_ellipse", "covariance", [[PLACE, k] for k in (1, 2, 3)], exact
    angle = float(np.arctan2(PLACE[1], PLACE[0]))
    yield "noise_ellipse", "alongKurtosis", [[angle, k] for k in (1, 2, 3)], along

    grid = [(0.1, 0.0, 1, 1.0), (0.01, 0.9, 8, 10.0), (1e-4, 0.99, 256, 50.0)]
    calls = [[dict(eta=e, beta=b, batch=s, curvature=h)] for e, b, s, h in grid]
    zeta = [me.damping(learning_rate=e, momentum=b, curvature=h) for e, b, _, h in grid]
    yield "escape_map", "damping", calls, zeta
    heat = [me.temperature(learning_rate=e, momentum=b, batch_size=s, curvature=h)
            for e, b, s, h in grid]  # fmt: skip
    yield "escape_map", "temperature", calls, heat
    edges = [me.stable_step(momentum=b, batch_size=s) for _, b, s, _ in grid]
    yield "escape_map", "stableStep", calls, edges
    c = [1.0, 1.5, 3.0, 50.0]
    yield "escape_map", "weakFriction", [[x] for x in c], me.weak_friction(c, 3.0)
    table = scene_drawing.values("escape_map")
    ratios, dampings = table["ratios"][::17], table["dampings"][::3]
    calls = [[c, z, table] for z in dampings for c in ratios]
    nodes = [me.barrier(ratios, damping=z) for z in dampings]
    yield "escape_map", "barrier", calls, nodes
    calls = [[z, table] for z in (0.0, *dampings, 1e9)]
    yield "escape_map", "tailSlope", calls, me.tail_slope([0.0, *dampings, np.inf])


PLACE = [0.8, -1.1]


def population(kurtosis):
    """Exact covariance of all gradients of a finite population, and the kurtosis along PLACE."""
    values = {1: [-1, 1], 2: [0, 0, -(2**0.5), 2**0.5], 3: [0] * 4 + [-(3**0.5), 3**0.5]}[kurtosis]
    x = np.array([(a, b, r) for a in values for b in values for r in (-1, 1)], float)
    inputs, residual = x[:, :2], x[:, 2]
    gradients = (inputs @ PLACE - residual)[:, None] * inputs
    sigma = nc.noise_covariance(gradients, batch_size=1, sampler="iid")
    return sigma, nc.kurtosis(inputs @ PLACE)


def flat(values):
    """Numbers of nested lists and dictionaries, in the order of their keys."""
    if isinstance(values, dict):
        return [x for key in sorted(values) for x in flat(values[key])]
    if np.ndim(values) == 0 and not isinstance(values, (list, tuple)):
        return [float(values)]
    return [x for value in values for x in flat(value)]


def differ(found, expected):
    """Largest relative difference, absolute below 1."""
    a, b = np.array(flat(found)), np.array(flat(expected))
    assert a.shape == b.shape
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-3)))


@browser_test
@each_scene
def test_numbers_are_those_of_the_package(script, name):
    compared = set()
    for _, function, calls, expected in (case for case in cases() if case[0] == name):
        assert differ(script(name, function, calls), expected) < 1e-6, function
        compared.add(function)
    assert len(compared) >= 2


@browser_test
def test_comparison_can_fail(script):
    calls, exact = [[3.0], [10.0]], ld.quasi_potential([3.0, 10.0])
    assert differ(script("climb_or_jump", "quasiPotential", calls), exact) < 1e-6
    assert differ(script("climb_or_jump", "quasiPotential", calls), exact * (1 + 1e-5)) > 1e-6
    assert differ(script("climb_or_jump", "quasiPotential", calls), exact[::-1]) > 1e-6


@browser_test
def test_map_is_close_between_its_nodes(script):
    table = scene_drawing.values("escape_map")
    ratios, dampings = [1.5, 2.0, 5.0, 15.0], [0.04, 0.18, 0.7, 3.0, 20.0]
    found = script("escape_map", "barrier", [[c, z, table] for z in dampings for c in ratios])
    exact = [me.barrier(ratios, damping=z) for z in dampings]
    assert differ(found, exact) < 0.02  # a line's width on the map
    tails = script("escape_map", "tailSlope", [[z, table] for z in dampings])
    assert differ(tails, me.tail_slope(dampings)) < 0.02


LEVEL = 1e-5


@browser_test
@pytest.mark.parametrize("batch, kurtosis", [(1, "gaussian"), (3, "uniform")])
def test_walkers_stand_as_sgd_does(visit, batch, kurtosis):
    # E theta^2 of the iteration with that fourth moment, units h = sigma = 1, far from any rim
    eta, fourth = 0.1, {"gaussian": 3.0, "uniform": 1.8}[kurtosis]
    exact = eta / batch / (2 - eta * (1 + (fourth - 1) / batch))
    at = {"place": "bowl", "eta": eta, "batch": batch, "law": kurtosis, "ratio": 400,
          "walkers": 4000, "seed": 3}  # fmt: skip
    squares = visit("escape_movie", reduced_motion="reduce").tab.evaluate(
        "(at) => { const s = sgdescape.scenes.escape_movie.swarm(at); s.advance(150);"
        " return Array.from(s.theta, (x) => x * x); }",
        at,
    )
    z = (np.mean(squares) - exact) / (np.std(squares) / np.sqrt(len(squares)))
    assert abs(z) < stats.norm.isf(LEVEL / 2)


@browser_test
def test_walkers_pass_when_sgd_does(visit):
    at = {"place": "bowl", "eta": 0.2, "batch": 1, "law": "gaussian", "ratio": 1.6,
          "walkers": 300, "seed": 5}  # fmt: skip
    found = visit("escape_movie", reduced_motion="reduce").tab.evaluate(
        "(at) => { const s = sgdescape.scenes.escape_movie.swarm(at); s.advance(6000);"
        " return s.estimate(); }",
        at,
    )
    exact = float(lr.first_passage([1.6], learning_rate=0.2).times[0])
    # an exponential law has a relative spread of 1: log(mean) is within z/sqrt(n)
    assert abs(np.log(found["mean"] / exact)) < stats.norm.isf(LEVEL / 2) / np.sqrt(found["n"])


@browser_test
def test_walkers_cross_the_circle_when_sgd_does(visit):
    at = {"place": "circle", "eta": 0.4, "batch": 1, "law": "gaussian", "ratio": 2,
          "walkers": 300, "seed": 6}  # fmt: skip
    found = visit("escape_movie", reduced_motion="reduce").tab.evaluate(
        "(at) => { const s = sgdescape.scenes.escape_movie.swarm(at); s.advance(4000);"
        " return s.estimate(); }",
        at,
    )
    exact = float(ld.circle_passage_time(noise_variance=4.0, learning_rate=0.4, batch_size=1))
    assert abs(np.log(found["mean"] / exact)) < stats.norm.isf(LEVEL / 2) / np.sqrt(found["n"])


@browser_test
def test_bars_of_the_movie_are_the_law_of_the_times(visit):
    # runs cut off at a random age must not bend the histogram: a life table of an exponential law
    rng = np.random.default_rng(4)
    times, ages = rng.exponential(1.0, 40_000), rng.exponential(1.0, 40_000)
    tab = visit("escape_movie", reduced_motion="reduce").tab
    found = tab.evaluate(
        "([a, b]) => sgdescape.scenes.escape_movie.histogram(a, b, 0.02, 8)",
        [times[times <= ages].tolist(), ages[times > ages].tolist()],
    )
    edges = np.array(found["edges"])
    exact = -np.diff(np.exp(-edges)) / np.diff(np.log(edges))
    middle = slice(2, 20)
    np.testing.assert_allclose(found["heights"][middle], exact[middle], atol=0.03)


# --- in a browser: use -----------------------------------------------------------------------


@browser_test
@each_scene
@pytest.mark.parametrize("width", [390, 1200])
def test_runs_without_a_word_to_console_or_network(visit, name, width):
    seen = visit(name, width=width)
    seen.tab.wait_for_timeout(300)
    assert seen.messages == []
    assert all(url.startswith(("file:", "data:")) for url in seen.requests)
    assert seen.tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def said(tab):
    return tab.locator(".sgd-scene__note, .sgd-scene__key").all_text_contents()


@browser_test
@each_scene
def test_is_moved_by_keyboard_and_tells_it(visit, name):
    tab = visit(name, reduced_motion="reduce").tab
    moved = 0
    for control in tab.locator("input[type=range]:enabled").all():
        before = control.get_attribute("aria-valuetext"), said(tab)
        control.focus()
        for key in ("ArrowRight", "ArrowLeft"):  # one end of the range may be reached already
            tab.keyboard.press(key)
            tab.keyboard.press("PageUp" if key == "ArrowRight" else key)
            if control.get_attribute("aria-valuetext") != before[0]:
                break
        assert control.get_attribute("aria-valuetext") != before[0]
        assert control.get_attribute("aria-label")
        moved += said(tab) != before[1]
    assert moved >= 2
    assert tab.locator("[role=status]").text_content()


@browser_test
@each_scene
def test_rests_where_motion_is_not_wanted(visit, name):
    tab = visit(name, reduced_motion="reduce").tab
    shots = []
    for _ in range(2):
        shots.append(tab.evaluate("document.querySelector('canvas').toDataURL()"))
        tab.wait_for_timeout(250)
    assert shots[0] == shots[1]
    play = tab.locator(".sgd-scene__play")
    if play.count():
        assert play.text_content() == "Play"
        play.focus()
        tab.keyboard.press("Space")
        assert play.text_content() == "Pause"
        tab.wait_for_timeout(400)
        assert tab.evaluate("document.querySelector('canvas').toDataURL()") != shots[0]


@browser_test
@each_scene
def test_is_a_picture_without_scripts_and_on_paper(visit, name):
    plain = visit(name, java_script_enabled=False).tab
    assert plain.locator(".sgd-scene__still svg").is_visible()
    assert plain.locator(".sgd-scene__live").count() == 0
    tab = visit(name, reduced_motion="reduce").tab
    assert not tab.locator(".sgd-scene__still").is_visible()
    tab.emulate_media(media="print")
    assert tab.locator(".sgd-scene__still svg").is_visible()
    assert not tab.locator(".sgd-scene__live").is_visible()


@browser_test
@each_scene
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_is_accessible(visit, name, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
    tab = visit(name, theme, reduced_motion="reduce").tab
    found = axe.run(tab, options={"runOnly": levels}).response["violations"]
    assert json.dumps([(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found]) == "[]"
