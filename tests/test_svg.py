"""Pictures as SVG: what is drawn where, against the numbers that it stands for; names as text; sizes."""

import base64
import re
import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest

import fastgd
from fastgd.svg import Curve, Mark, Surface, cost_svg, members_svg, network_svg, surface_svg
from fastgd.svg.chosen import evenly
from fastgd.svg.plane import outputs_over

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>alert(1)</script>\"'&\x00\u202e\uffff"


def parsed(picture):
    """The element of a picture, which says what it is."""
    root = ElementTree.fromstring(picture)
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text
    return root


def paths(root, **having):
    return [path for path in root.iter(f"{SVG}path") if all(path.get(name) == value for name, value in having.items())]


def numbers(path):
    """The points of a path, (points, 2)."""
    return np.array(re.findall(r"[-\d.]+", path.get("d")), float).reshape(-1, 2)


def segments(path):
    return [tuple(map(float, re.findall(r"[-\d.]+", part))) for part in path.get("d").split("M")[1:]]


def test_each_weight_is_a_line_by_its_sign_and_size():
    net = fastgd.MLP(2, 3, 1)
    W = np.array([[1.0, -1.0], [0.1, -0.5], [0.6, -0.02]])
    params = net.pack([(W, [0.5, -1.0, 0.0]), (np.array([[2.0, -2.0, 1.0]]), [0.1])])
    root = parsed(network_svg(net, params))
    circles = [(float(c.get("cx")), float(c.get("cy")), c.get("fill")) for c in root.iter(f"{SVG}circle")]
    assert len(circles) == 6
    columns = sorted({x for x, _, _ in circles})
    inputs, hidden, outputs = ([(y, fill) for x, y, fill in circles if x == column] for column in columns)
    assert [len(inputs), len(hidden), len(outputs)] == [2, 3, 1]
    drawn = {}  # which input to which unit: how wide, and whether dashed
    for path in paths(root):
        for x, y, _, to in segments(path):
            if x < columns[1]:
                unit, k = [y for y, _ in hidden].index(to), [y for y, _ in inputs].index(y)
                drawn[unit, k] = float(path.get("stroke-width")), path.get("stroke-dasharray") is not None
    assert len(drawn) == 6
    for (unit, k), (_, dashed) in drawn.items():
        assert dashed == (W[unit, k] < 0)
    by_size = sorted(drawn, key=lambda place: abs(W[place]))
    widths = [drawn[place][0] for place in by_size]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1] == drawn[0, 0][0]
    assert hidden[0][1] == hidden[2][1] != hidden[1][1]  # by the signs of biases


def test_large_networks_are_elided():
    net = fastgd.MLP(784, *[128] * 20, 10, activation="relu", output="softmax", loss="cross_entropy")
    for picture in (network_svg(net), network_svg(net, net.init(rng=0), [f"pixel {i}" for i in range(784)])):
        root = parsed(picture)
        assert len(picture) < 20_000
        assert len(list(root.iter(f"{SVG}circle"))) < 100
        words = [each.text for each in root.iter(f"{SVG}text")]
        assert words.count("128") == 5
        assert {"784", "10", "softmax"} <= set(words)
    assert "pixel 0" in words
    assert "pixel 783" in words
    assert "pixel 300" not in words
    assert f"{net.n_params:,} parameters" in root[0].text


def test_names_are_text():
    net = fastgd.MLP(2, 1)
    root = parsed(network_svg(net, net.init(rng=0), [NASTY, "b"], [NASTY * 50]))
    x = np.linspace(0, 1, 4)
    surface = parsed(surface_svg(Surface((NASTY, "b"), x, x, np.zeros((4, 4)), [NASTY])))
    costs = parsed(cost_svg([Curve(NASTY, np.arange(3), np.ones(3))], Mark(NASTY, 1, 1.0)))
    for picture in (root, surface, costs):
        names = {each.tag for each in picture.iter()}
        assert names <= {SVG + name for name in ("svg", "title", "text", "path", "circle", "g", "image", "rect")}
        told = "".join(picture.itertext())
        assert "<script>" in told
        assert "\u202e" not in told


@pytest.mark.parametrize(
    "values",
    [[1e153, 1e153], [-1.7e308, 1.7e308], [0.0, np.nan], [np.nan, np.nan], [np.inf, 0.0], [-np.inf, 5e-324]],
)
def test_a_surface_as_far_as_numbers_go(values):
    """Of what has diverged too: no warning, and a picture that is XML; finite values that differ are of both ends of the scale."""
    x = np.linspace(0, 1, 2)
    root = parsed(surface_svg(Surface(("a", "b"), x, x, np.array([values, values]), None)))
    assert root[0].text.startswith("Output over a and b")


def test_a_curve_goes_through_its_costs():
    """Costs far apart lie by their logarithms, others as they are; validation is dashed; the mark is on its curve."""
    epoch = np.array([0, 10, 20, 40])
    for cost, scaled in (([1, 0.1, 0.01, 0.001], np.log), ([4, 3, 1, 2], np.array)):
        root = parsed(cost_svg([Curve("training", epoch, np.array(cost, float)), Curve("validation", epoch, np.array(cost) * 1.0)]))
        one, other = (numbers(each) for each in paths(root, fill="none") if each.get("stroke-width") == "1.6")
        np.testing.assert_array_equal(one, other)
        share = (one - one.min(axis=0)) / np.ptp(one, axis=0)
        np.testing.assert_allclose(share[:, 0], epoch / 40, atol=1e-3)
        np.testing.assert_allclose(1 - share[:, 1], (scaled(cost) - np.min(scaled(cost))) / np.ptp(scaled(cost)), atol=2e-3)
    root = parsed(cost_svg([Curve("training", epoch, np.array([4.0, 3, 1, 2]))], Mark("least cost", 20, 1.0)))
    line = numbers(next(each for each in paths(root) if each.get("stroke-width") == "1.6"))
    ring = next(root.iter(f"{SVG}circle"))
    assert [float(ring.get("cx")), float(ring.get("cy"))] == line[2].tolist()
    assert "least cost, at epoch 20, 1" in root[0].text


def test_no_spike_is_lost():
    cost = np.full(100_000, 1.0)
    cost[70_007] = 2.0
    picture = cost_svg([Curve("training", np.arange(100_000), cost)])
    line = numbers(next(each for each in paths(parsed(picture)) if each.get("stroke-width") == "1.6"))
    assert len(line) < 300
    spike = line[line[:, 1].argmin()]
    np.testing.assert_allclose((spike[0] - line[0, 0]) / (line[-1, 0] - line[0, 0]), 0.70007, atol=1e-3)


@pytest.mark.parametrize("cost", [[], [np.nan], [1.0], [0.0, 0.0], [np.inf, 1.0, np.nan], [1e-300, 1e300], [-1.0, 5.0], [5e-324, 1.0]])
def test_any_costs_make_a_picture(cost):
    cost = np.array(cost)
    picture = cost_svg([Curve("training", np.arange(len(cost)), cost)])
    parsed(picture)
    parsed(members_svg([Curve("", np.arange(len(cost)), cost)] * 2, cost))
    assert "nan" not in picture.partition("</title>")[2]
    assert "inf" not in picture.partition("</title>")[2]


def test_members_by_quantiles():
    """The band between the quartiles is NumPy's, at its ends."""
    rng = np.random.default_rng(0)
    costs = rng.uniform(1, 2, size=(40, 5))
    picture = parsed(members_svg([Curve("", np.arange(5), row) for row in costs], costs[:, -1]))
    whole, half = (numbers(path) for path in paths(picture, stroke=None) if path.get("d").count(" ") > 5)
    low, high = costs.min(), costs.max()
    top, bottom = whole[:, 1].min(), whole[:, 1].max()
    expected = np.quantile(costs, (0.75, 0.25), axis=0)
    found = high - (half[:, 1] - top) / (bottom - top) * (high - low)
    np.testing.assert_allclose(found[:5], expected[0], atol=0.01)
    np.testing.assert_allclose(found[5:][::-1], expected[1], atol=0.01)
    assert f"median from {np.median(costs[:, 0]):.4g}" in picture[0].text


def test_members_without_a_history_by_final_costs():
    picture = parsed(members_svg([], np.array([3.0, 1.0, 2.0, np.nan])))
    dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in picture.iter(f"{SVG}circle")]
    assert len(dots) == 3
    assert dots == sorted(dots)
    assert [y for _, y in dots] == sorted((y for _, y in dots), reverse=True)
    assert "Final cost of 4 members: least 1, median 2, largest 3" in picture[0].text


def pixels(image):
    """(rows, columns, 3) of a PNG in an address of data, whose lines have no filter."""
    data = base64.b64decode(image.get("href").removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + length
    columns, rows, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 2)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, 1 + 3 * columns)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(rows, columns, 3)


def test_a_surface_has_its_values_in_their_places():
    x, y = np.linspace(0, 1, 5), np.linspace(0, 1, 3)
    values = x[None] + 10 * y[:, None]  # least at the left below, most at the right above
    points = np.array([[0.0, 0.0], [1.0, 1.0], [9.0, 9.0]])
    root = parsed(surface_svg(Surface(("first", "second"), x, y, values, points=points, point_values=np.array([0.0, 11.0, 5.0]))))
    image, bar = (pixels(each) for each in root.iter(f"{SVG}image"))
    assert image.shape == (3, 5, 3)
    brightness = image.astype(int) @ [299, 587, 114]
    assert brightness.argmin() == brightness[2, 0].argmin() + 10
    assert brightness.argmax() == 4
    np.testing.assert_array_equal(image[0, 4], bar[0, 0])
    np.testing.assert_array_equal(image[2, 0], bar[-1, 0])
    assert "from 0 to 11" in root[0].text
    dots = [path.get("stroke") for path in paths(root) if path.get("stroke-width") == "4.6"]
    assert dots == ["#" + bytes(image[row]).hex() for row in ((2, 0), (0, 4))]  # what lies outside is not drawn


def test_a_surface_of_classes():
    x = np.linspace(0, 1, 4)
    root = parsed(surface_svg(Surface(("a", "b"), x, x, np.array([[0, 0, 1, 2]] * 4), ["rose", "tulip", "lily"])))
    (image,) = (pixels(each) for each in root.iter(f"{SVG}image"))
    legend = [each.get("fill") for each in root.iter(f"{SVG}rect")]
    assert ["#" + bytes(image[0, column]).hex() for column in (0, 2, 3)] == legend
    assert [each.text for each in root.iter(f"{SVG}text")][-3:] == ["rose", "tulip", "lily"]


def test_numbers_beside_axes_differ():
    """However near to one another costs are; epochs are whole."""
    for low, step, epochs in ((0.2870, 1e-4, 1), (1e6, 1.0, 3), (1e-9, 1e-13, 2), (1234.0, 0.5, 7)):
        epoch = np.arange(epochs + 1)
        root = parsed(cost_svg([Curve("training", epoch, low + step * epoch)]))
        words = [each.text for each in root.iter(f"{SVG}text")]
        beside, below = words[: words.index("0")], words[words.index("0") : words.index("epoch")]
        assert len(set(beside)) == len(beside) >= 2
        assert all(word.isdecimal() for word in below)
        assert below[0] == "0"


def test_outputs_over_two_inputs_are_of_few_rows_at_a_time():
    """Of half a million inputs, of which the last is held at 5: all of them are seen, in the order of a picture."""
    held, asked = np.zeros(2**19), []
    held[-1] = 5.0

    def predict(rows):
        asked.append(len(rows))
        return rows[:, [1, 3, -1]]

    outputs = outputs_over(predict, (3, 1), np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0]), held)
    assert outputs.tolist() == [[y, x, 5.0] for y in (10.0, 20.0) for x in (1.0, 2.0, 3.0)]
    assert asked == [2, 2, 2]


@pytest.mark.parametrize(("count", "most"), [(0, 5), (1, 5), (5, 5), (6, 5), (7, 5), (1000, 24)])
def test_some_of_many_are_spread_over_all(count, most):
    places = evenly(count, most).tolist()
    assert len(set(places)) == len(places) == min(count, most)
    if count:
        assert (places[0], places[-1]) == (0, count - 1)
        steps = np.diff(places)
        assert len(steps) == 0 or steps.max() - steps.min() <= 1
