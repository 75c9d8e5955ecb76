"""The interactive figure's static state, its record and its refusals."""

import json
import re

import numpy as np
import pytest

from sgdescape.core.explorer import Axes, explorer_html

AXES = Axes(np.array([1.0, 2.0, 3.0]), 2, "c", "barrier", "barrier against c")
CURVES = {1.0: [0, 1, 2], 2.0: [0, 0.5, 1]}
READINGS = {1.0: "steep", 2.0: "flat <&>"}
OPTIONS = {
    "slider": "kurtosis",
    "start": 2.0,
    "readings": READINGS,
    "references": {"line": [0, 1, 2]},
}


def test_static_state_is_the_starting_curve_and_json_holds_all():
    html = explorer_html(AXES, CURVES, **OPTIONS)
    drawing, record = html.split('<script type="application/json">')
    curves = json.loads(record.split("</script>")[0])
    assert [c["value"] for c in curves] == ["1", "2"]
    moving = re.search(r'class="moving" points="([^"]*)"', drawing)[1]
    assert moving == curves[1]["points"] != curves[0]["points"]
    assert "flat &lt;&amp;&gt;" in drawing and 'value="1"' in drawing


def test_curves_are_drawn_to_scale():
    html = explorer_html(AXES, CURVES, **OPTIONS)
    reference = re.search(r'class="reference" points="([^"]*)"', html)[1]
    x, y = np.array([p.split(",") for p in reference.split()], float).T
    np.testing.assert_allclose(np.diff(x), np.diff(x)[0], atol=0.11)
    np.testing.assert_allclose(np.diff(y), np.diff(y)[0], atol=0.11)
    assert y[0] > y[-1]


@pytest.mark.parametrize(
    "change", [{"start": 3.0}, {"readings": {1.0: "only one"}}, {"references": {"short": [0, 1]}}]
)
def test_incomplete_input_is_refused(change):
    with pytest.raises(ValueError, match="must"):
        explorer_html(AXES, CURVES, **(OPTIONS | change))


def test_no_text_ends_the_script_element():
    reading = "</script><script>alert(1)</script><!--"
    page = explorer_html(AXES, CURVES, **OPTIONS | {"readings": {1.0: reading, 2.0: "flat"}})
    record, _, rest = page.partition('<script type="application/json">')[2].partition("</script>")
    assert rest == "</div>" and "<!--" not in record
    assert json.loads(record)[0]["reading"] == reading
