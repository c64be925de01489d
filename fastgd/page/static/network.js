// The network: units and weights as lines, whose width is the size and whose colour is the sign.

import { byId, makeSvg, number } from "./text.js";

const svg = byId("network");
const readout = byId("network-readout");
const told = byId("network-told");
const state = { scene: null, layers: null, key: "", units: [], edges: [], chosen: null };

export function setScene(scene) {
  Object.assign(state, { scene, layers: null, key: "", chosen: null });
  byId("network-shape").textContent = `${scene.widths.join("-")}, ${scene.parameters.toLocaleString("en-US")} parameters`;
}

export function setLayers(layers) {
  state.layers = layers;
  const key = `${svg.clientWidth} ${svg.clientHeight}`;
  if (key !== state.key) {
    state.key = key;
    build();
  }
  paint();
}

/** Names of the units of a layer; layer 0 are the inputs. */
function nameOf(layer, unit) {
  const { scene, layers } = state;
  if (layer === 0) return scene.inputs[unit] ?? `input ${unit + 1}`;
  if (layer === layers.length) return `output ${scene.outputs[unit] ?? unit + 1}`;
  return `unit ${unit + 1} of layer ${layer}`;
}

const columns = () => [state.layers[0].from, ...state.layers.map((layer) => layer.units)];

function build() {
  const width = svg.clientWidth, height = svg.clientHeight;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const shown = columns();
  const left = 64, right = 76, top = 20, bottom = 34;
  const place = (layer, i) => [
    left + (width - left - right) * layer / (shown.length - 1),
    top + (height - top - bottom) * (i + 0.5) / shown[layer].length,
  ];
  const radius = Math.max(3.5, Math.min(11, (height - top - bottom) / Math.max(...shown.map((c) => c.length)) / 2.6));
  state.edges = [];
  state.units = [];
  const edges = makeSvg("g"), units = makeSvg("g");
  state.layers.forEach((layer, l) => layer.units.forEach((to, i) => layer.from.forEach((from, j) => {
    const [x1, y1] = place(l, j), [x2, y2] = place(l + 1, i), middle = (x1 + x2) / 2;
    const path = makeSvg("path", { d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}` });
    path.addEventListener("pointerenter", () => choose({ layer: l + 1, i, j }));
    edges.append(path);
    state.edges.push({ path, layer: l + 1, i, j, from, to });
  })));
  shown.forEach((column, l) => column.forEach((unit, i) => {
    const [cx, cy] = place(l, i);
    const circle = makeSvg("circle", { cx, cy, r: radius });
    circle.addEventListener("pointerenter", () => choose({ layer: l, i }));
    units.append(circle);
    state.units.push({ circle, layer: l, i, unit });
    const isEnd = l === 0 || l === shown.length - 1;
    if (isEnd && column.length <= 16) {
      const name = l === 0 ? state.scene.inputs[unit] : state.scene.outputs[unit];
      units.append(makeSvg("text", {
        class: "name", x: l === 0 ? cx - radius - 6 : cx + radius + 6, y: cy + 4,
        "text-anchor": l === 0 ? "end" : "start",
      }, clipped(name ?? "")));
    }
  }));
  const labels = makeSvg("g");
  shown.forEach((column, l) => {
    const [x] = place(l, 0);
    const all = state.scene.widths[l];
    const some = all > column.length ? `${column.length} of ${all}` : "";
    const name = l === 0 ? "" : state.scene.activations[l - 1];
    labels.append(makeSvg("text", { x, y: height - 14, "text-anchor": "middle" }, name),
      makeSvg("text", { x, y: height - 1, "text-anchor": "middle" }, some));
  });
  svg.replaceChildren(edges, units, labels);
}

const clipped = (name) => (name.length > 8 ? `${name.slice(0, 7)}…` : name);

function paint() {
  const { layers } = state;
  const largest = Math.max(1, ...layers.flatMap((layer) => layer.W.flat().map(Math.abs)));
  for (const edge of state.edges) {
    const weight = layers[edge.layer - 1].W[edge.i][edge.j];
    const size = Math.abs(weight) / largest;
    edge.path.setAttribute("stroke-width", (0.6 + 6 * size).toFixed(2));
    edge.path.setAttribute("stroke-opacity", (0.2 + 0.75 * Math.sqrt(size)).toFixed(2));
    edge.path.setAttribute("class", `edge ${weight < 0 ? "minus" : "plus"}${isChosen(edge) ? " chosen" : ""}`);
  }
  for (const { circle, layer, i } of state.units) {
    const bias = layer === 0 ? null : layers[layer - 1].b?.[i];
    const kind = layer === 0 ? "input" : bias === undefined ? "" : bias < 0 ? "biased-minus" : "biased-plus";
    const here = state.chosen && state.chosen.j === undefined && state.chosen.layer === layer && state.chosen.i === i;
    circle.setAttribute("class", `unit ${kind}${here ? " chosen" : ""}`);
  }
  readout.textContent = state.chosen ? words() : "";
}

const isChosen = ({ layer, i, j }) =>
  state.chosen && state.chosen.layer === layer && state.chosen.i === i && state.chosen.j === j;

function choose(chosen) {
  state.chosen = chosen;
  if (state.layers) paint();
}

function words() {
  const { layer, i, j } = state.chosen;
  const shown = columns();
  const unit = shown[layer][i];
  if (layer === 0) return `Input ${nameOf(0, unit)}`;
  const { W, b, from } = state.layers[layer - 1];
  const to = nameOf(layer, unit);
  if (j !== undefined) return `From ${nameOf(layer - 1, from[j])} to ${to}: weight ${number(W[i][j])}`;
  const weights = W[i].map((weight, k) => `${number(weight)} from ${nameOf(layer - 1, from[k])}`);
  const some = weights.length > 6 ? [...weights.slice(0, 6), `${weights.length - 6} more`] : weights;
  const name = to[0].toUpperCase() + to.slice(1);
  return `${name}: ${b ? `bias ${number(b[i])}, ` : ""}weights ${some.join(", ")}`;
}

svg.addEventListener("pointerleave", () => choose(null));
svg.addEventListener("blur", () => choose(null));
svg.addEventListener("focus", () => { if (!state.chosen) tell({ layer: 1, i: 0 }); });
svg.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const step = steps[event.key];
  if (!step || !state.layers) return;
  const shown = columns();
  const now = state.chosen ?? { layer: 1, i: 0 };
  const layer = Math.max(0, Math.min(shown.length - 1, now.layer + step[0]));
  const i = Math.max(0, Math.min(shown[layer].length - 1, now.i + step[1]));
  tell({ layer, i });
  event.preventDefault();
});

function tell(chosen) {
  choose(chosen);
  told.textContent = state.layers ? words() : "";
}

new ResizeObserver(() => { if (state.layers) setLayers(state.layers); }).observe(svg);
