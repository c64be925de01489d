// The surface: an output over two inputs as colours, with the rows as marks, on a canvas.

import { byId, colour, number } from "./text.js";

const canvas = byId("surface");
const readout = byId("surface-readout");
const told = byId("surface-told");
const state = { scene: null, picture: null, values: null, cross: null, points: null, add: null };

/** The rows and bounds to draw; `points` are those of the user, who adds others by `add(x, y)`. */
export function setScene(scene, points, add) {
  Object.assign(state, { scene, points, add });
  canvas.classList.toggle("takes-points", points !== null);
  draw();
}

export function setPicture(picture) {
  state.picture = picture;
  const bytes = Uint8Array.from(atob(picture.values), (c) => c.charCodeAt(0));
  state.values = new Float32Array(bytes.buffer);
  draw();
}

const rgb = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));

/** Colours from the lowest level over the middle to the highest. */
function ramp() {
  const [low, middle, high] = ["--minus", "--middle", "--plus"].map((name) => rgb(colour(name)));
  const mixed = (from, to, share) => from.map((v, i) => v + (to[i] - v) * share);
  return Array.from({ length: 256 }, (_, i) => {
    const t = i / 127.5 - 1;
    return t < 0 ? mixed(middle, low, Math.min(1, -t) * 0.85) : mixed(middle, high, t * 0.85);
  });
}

function image(values, size, [low, high]) {
  const small = new OffscreenCanvas(size, size);
  const context = small.getContext("2d");
  const data = context.createImageData(size, size);
  const colours = ramp();
  values.forEach((value, i) => {
    const place = Math.round(255 * (value - low) / (high - low));
    const [r, g, b] = colours[Number.isFinite(place) ? Math.max(0, Math.min(255, place)) : 127];
    data.data.set([r, g, b, 255], 4 * i);
  });
  context.putImageData(data, 0, 0);
  return small;
}

export function draw() {
  const { scene, picture, values } = state;
  const width = canvas.clientWidth;
  if (!scene || !width) return;
  const ratio = devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(width * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.fillStyle = colour("--middle");
  context.fillRect(0, 0, width, width);
  if (picture && values) {
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(image(values, picture.size, scene.levels), 0, 0, width, width);
    drawMarks(context, width);
  }
  if (state.cross) drawCross(context, width);
}

const axes = () => [state.picture?.x ?? 0, state.picture?.y ?? 0];

function toPixels(row, width) {
  const [x, y] = axes();
  const share = (value, [low, high]) => (value - low) / (high - low);
  return [width * share(row[x], state.scene.bounds[x]),
    width * (1 - share(row[y], state.scene.bounds[y]))];
}

function drawMarks(context, width) {
  const { scene, picture, points } = state;
  const rows = points ? points.map(([x, y]) => [x, y]) : scene.X;
  const targets = points ? points.map(([, , c]) => [c]) : scene.Y;
  const size = rows.length > 200 ? 3 : rows.length > 20 ? 4 : 8;
  const middle = (scene.levels[0] + scene.levels[1]) / 2;
  context.lineWidth = size > 4 ? 2 : 1.25;
  context.strokeStyle = colour("--card");
  rows.forEach((row, i) => {
    const [px, py] = toPixels(row, width);
    const high = targets[i][picture.output] > middle;
    context.fillStyle = colour(high ? "--plus" : "--minus");
    context.beginPath();
    if (high) context.rect(px - size * 0.9, py - size * 0.9, size * 1.8, size * 1.8);
    else context.arc(px, py, size, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  });
}

function drawCross(context, width) {
  const [px, py] = state.cross.map((share) => share * width);
  context.strokeStyle = colour("--text");
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(px - 8, py); context.lineTo(px + 8, py);
  context.moveTo(px, py - 8); context.lineTo(px, py + 8);
  context.stroke();
}

/** What is computed at a place, given by shares of the width and of the height. */
function at([sx, sy]) {
  const { scene, picture, values } = state;
  const [x, y] = axes();
  const between = ([low, high], share) => low + (high - low) * share;
  const size = picture.size;
  const cell = (share) => Math.max(0, Math.min(size - 1, Math.floor(share * size)));
  return {
    x: between(scene.bounds[x], sx), y: between(scene.bounds[y], 1 - sy),
    value: values[cell(sy) * size + cell(sx)],
  };
}

function words(place) {
  const [x, y] = axes();
  const found = at(place);
  const names = state.scene.inputs;
  const second = x === y ? "" : `, ${names[y]} ${number(found.y)}`;
  return `${names[x]} ${number(found.x)}${second}: ${state.scene.outputs[state.picture.output]} ` +
    number(found.value);
}

const shares = (event) => {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
};

/** What the readout says, which frames keep up to date. */
export function refreshReadout() {
  readout.textContent = state.cross && state.values ? words(state.cross) : "";
}

canvas.addEventListener("pointermove", (event) => {
  state.cross = shares(event);
  refreshReadout();
  draw();
});
canvas.addEventListener("pointerleave", () => {
  state.cross = document.activeElement === canvas ? [0.5, 0.5] : null;
  refreshReadout();
  draw();
});
canvas.addEventListener("blur", () => { state.cross = null; refreshReadout(); draw(); });
canvas.addEventListener("click", (event) => put(shares(event)));
canvas.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const step = steps[event.key];
  if (step && state.values) {
    const [x, y] = state.cross ?? [0.5, 0.5];
    const by = event.shiftKey ? 0.1 : 0.025;
    const inside = (share) => Math.max(0, Math.min(1, share));
    state.cross = [inside(x + by * step[0]), inside(y + by * step[1])];
    refreshReadout();
    told.textContent = words(state.cross);
    draw();
    event.preventDefault();
  } else if (event.key === "Enter" && state.cross) {
    put(state.cross);
    event.preventDefault();
  }
});

function put(place) {
  if (!state.points || !state.picture) return;
  const { x, y } = at(place);
  state.add(Number(x.toFixed(3)), Number(y.toFixed(3)));
}

new ResizeObserver(draw).observe(canvas);
