// Costs by epoch on log axes, a curve for each method; pressing on them goes back to an epoch.

import { byId, makeSvg, plain, short } from "./text.js";

const svg = byId("costs");
const slider = byId("back");
const exact = byId("back-epoch");
const state = { racers: [], running: false, goBack: null, held: false };
const MARGIN = { left: 58, right: 14, top: 10, bottom: 26 };

export function setUpCosts(goBack) {
  state.goBack = goBack;
}

export function setRacers(racers, running) {
  Object.assign(state, { racers, running });
  draw();
  const furthest = Math.max(...racers.map((racer) => racer.furthest));
  const epoch = Math.max(...racers.map((racer) => racer.epoch));
  if (!state.held && document.activeElement !== exact) exact.value = epoch;
  if (!state.held) slider.value = furthest ? Math.round(1000 * log(epoch) / log(furthest)) : 1000;
  slider.setAttribute("aria-valuetext", `epoch ${epoch.toLocaleString("en-US")}`);
}

const log = (epoch) => Math.log10(epoch + 1);

function draw() {
  const width = svg.clientWidth, height = svg.clientHeight;
  const points = state.racers.flatMap(({ history }) =>
    history.cost.filter((cost) => cost !== null && cost > 0));
  if (!width || !points.length) return;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const last = Math.max(1, log(Math.max(...state.racers.map((racer) => racer.furthest))));
  let low = Math.floor(Math.log10(Math.min(...points)) + 1e-9);
  let high = Math.ceil(Math.log10(Math.max(...points)) - 1e-9);
  if (high === low) high += 1;
  low = Math.max(low, high - 40);
  const inner = { w: width - MARGIN.left - MARGIN.right, h: height - MARGIN.top - MARGIN.bottom };
  const x = (epoch) => MARGIN.left + inner.w * log(epoch) / last;
  const y = (cost) => MARGIN.top + inner.h * (high - Math.log10(cost)) / (high - low);
  svg.replaceChildren(...grid(x, y, last, low, high, inner));
  state.racers.forEach((racer, i) => {
    const { epoch, cost } = racer.history;
    const line = epoch.map((e, k) => (cost[k] > 0 ? `${x(e).toFixed(1)} ${y(cost[k]).toFixed(1)}` : ""))
      .filter(Boolean).join("L");
    svg.append(makeSvg("path", { class: `curve method-${i}`, d: `M${line}` }));
    if (racer.cost > 0) {
      const here = { cx: x(racer.epoch), cy: y(racer.cost), r: 5 };
      svg.append(makeSvg("line", { class: "now", x1: here.cx, x2: here.cx, y1: MARGIN.top, y2: MARGIN.top + inner.h }),
        makeSvg("circle", { class: `here fill-${i}`, ...here }));
    }
  });
  svg.setAttribute("aria-label", `Cost by epoch, both on log axes. ${state.racers.map((racer) =>
    `${plain(racer.method)}: ${racer.history.cost[0]} at first, ${racer.cost} after ${short(racer.epoch)} epochs`).join("; ")}`);
}

function grid(x, y, last, low, high, inner) {
  const marks = [];
  const every = Math.max(1, Math.ceil((high - low) / 6));
  for (let power = high; power >= low; power -= every) {
    const at = y(10 ** power);
    marks.push(makeSvg("line", { class: "grid", x1: MARGIN.left, x2: MARGIN.left + inner.w, y1: at, y2: at }),
      makeSvg("text", { x: MARGIN.left - 8, y: at + 4, "text-anchor": "end" }, tick(power)));
  }
  const step = Math.ceil(last / (inner.w / 70));
  for (let power = 0; power <= last; power += step) {
    const at = x(10 ** power);
    marks.push(makeSvg("line", { class: "grid", x1: at, x2: at, y1: MARGIN.top, y2: MARGIN.top + inner.h }),
      makeSvg("text", { x: at, y: MARGIN.top + inner.h + 18, "text-anchor": "middle" }, tick(power)));
  }
  return marks;
}

const raised = (power) => String(power).replace("-", "⁻").replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);

const tick = (power) => (power >= -2 && power <= 3 ? String(Number((10 ** power).toPrecision(1))) : `10${raised(power)}`);

function epochAt(event) {
  const box = svg.getBoundingClientRect();
  const last = Math.max(1, log(Math.max(...state.racers.map((racer) => racer.furthest))));
  const share = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
  return Math.round(10 ** (Math.max(0, Math.min(1, share)) * last) - 1);
}

/** Where the slider stands, as an epoch: its way is that of the axis. */
function ofSlider() {
  const furthest = Math.max(...state.racers.map((racer) => racer.furthest));
  return Math.round(10 ** (log(furthest) * slider.value / 1000) - 1);
}

svg.addEventListener("pointerdown", (event) => {
  svg.setPointerCapture(event.pointerId);
  state.held = true;
  state.goBack?.(epochAt(event));
});
svg.addEventListener("pointermove", (event) => { if (state.held) state.goBack?.(epochAt(event)); });
svg.addEventListener("pointerup", () => { state.held = false; });
svg.addEventListener("pointercancel", () => { state.held = false; });
slider.addEventListener("pointerdown", () => { state.held = true; });
slider.addEventListener("pointerup", () => { state.held = false; });
slider.addEventListener("input", () => state.goBack?.(ofSlider()));
byId("back-go").addEventListener("click", () => state.goBack?.(Math.max(0, Math.round(Number(exact.value)) || 0)));
exact.addEventListener("keydown", (event) => { if (event.key === "Enter") byId("back-go").click(); });

new ResizeObserver(draw).observe(svg);
