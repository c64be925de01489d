// The settings: a form, its plain values, and what the address keeps of them.

import { byId, fill, make, plain } from "./text.js";

const CSV_BYTES = 2 * 2 ** 20;
const CSV_KEY = "fastgd-csv";
const form = byId("form");
const SIMPLE = ["data", "target", "output", "loss", "init", "optimizer", "schedule"];
const NUMBERS = ["rows", "noise", "seed", "learning_rate", "l2", "epochs", "eps"];
const SAMPLE = [[-0.5, -0.5, 0], [-0.6, -0.3, 0], [0.5, 0.5, 0], [0.35, 0.6, 0],
  [-0.5, 0.5, 1], [-0.3, 0.4, 1], [0.5, -0.5, 1], [0.6, -0.35, 1]];
const state = { choices: null, settings: null, changed: null };

/** What is sent: all settings, but those that the chosen data does not use. */
export function settings() {
  const sent = { ...state.settings };
  if (sent.data !== "csv") for (const name of ["csv", "file", "target"]) delete sent[name];
  if (sent.data !== "points") delete sent.points;
  return sent;
}

export const points = () => (state.settings.data === "points" ? state.settings.points : null);

export function setUpForm(choices, changed) {
  Object.assign(state, { choices, changed, settings: { ...structuredClone(choices.defaults), ...kept() } });
  fill(byId("data"), [
    { label: "Gates", options: choices.gates.map((name) => [name, name.toUpperCase()]) },
    { label: "Two classes of points", options: choices.shapes.map((name) => [name, name[0].toUpperCase() + name.slice(1)]) },
    { label: "Your own", options: [["points", "Points that you click"], ["csv", "A CSV file"]] },
  ]);
  const named = (names, first) => [["", first], ...names.map((name) => [name, plain(name)])];
  fill(byId("output"), named(choices.outputs, "auto"));
  fill(byId("loss"), named(choices.losses, "auto"));
  fill(byId("init"), named(choices.inits.filter((name) => name !== "auto"), "auto"));
  fill(byId("optimizer"), Object.keys(choices.optimizers).map((name) => [name, plain(name)]));
  fill(byId("schedule"), Object.keys(choices.schedules).map((name) => [name, plain(name)]));
  byId("methods").replaceChildren(...choices.methods.map((method) => {
    const box = make("input", { type: "checkbox", value: method });
    box.addEventListener("change", () => change({
      methods: [...byId("methods").querySelectorAll("input:checked")].map((each) => each.value),
    }));
    return make("label", { class: "choice" }, box, plain(method));
  }));
  listen();
  for (const field of form.querySelectorAll(".field")) {
    const id = `error-${field.dataset.field}`;
    field.append(make("p", { class: "error", id, role: "alert" }));
    for (const input of field.querySelectorAll("input, select")) input.setAttribute("aria-describedby", id);
  }
  try {
    show();
  } catch { // settings of the address that no form has
    state.settings = structuredClone(choices.defaults);
    show();
  }
}

function listen() {
  for (const name of SIMPLE) byId(name).addEventListener("change", () => {
    const more = name === "optimizer" || name === "schedule" ? { [`${name}_numbers`]: {} } : {};
    change({ [name]: byId(name).value, ...(name === "data" ? ofData(byId(name).value) : more) });
  });
  for (const name of NUMBERS) byId(name).addEventListener("change", () => change({ [name]: read(byId(name)) }));
  byId("batch_size").addEventListener("change", () => {
    const input = byId("batch_size");
    change({ batch_size: input.value === "" && !input.validity.badInput ? null : read(input) });
  });
  byId("next-seed").addEventListener("click", () => change({ seed: state.settings.seed + 1 }));
  byId("add-layer").addEventListener("click", () => {
    const last = state.settings.hidden.at(-1) ?? [4, "tanh"];
    change({ hidden: [...state.settings.hidden, [...last]] });
  });
  byId("csv").addEventListener("change", readCsv);
  byId("undo-point").addEventListener("click", () => change({ points: state.settings.points.slice(0, -1) }));
  byId("clear-points").addEventListener("click", () => change({ points: [] }));
  byId("points-text").addEventListener("change", () => change({
    points: byId("points-text").value.split("\n").filter((line) => line.trim())
      .map((line) => line.trim().split(/[\s,;]+/).map(Number)),
  }));
  byId("defaults").addEventListener("click", () => change(structuredClone(state.choices.defaults)));
  form.addEventListener("submit", (event) => event.preventDefault());
}

/** A number as it is, or the text of what is none, which the server refuses in its words. */
const read = (input) => (input.value !== "" && Number.isFinite(Number(input.value)) ? Number(input.value) : input.value);

/** Of a kind of data, what else suits it better than what suited the last. */
function ofData(data) {
  const before = state.settings.data;
  const isGate = (name) => state.choices.gates.includes(name);
  if (isGate(data) && isGate(before)) return {};
  const more = isGate(data)
    ? { hidden: [[2, "sigmoid"]], learning_rate: 0.5, optimizer: "sgd", epochs: 100000000 }
    : { hidden: [[16, "tanh"], [16, "tanh"]], learning_rate: 0.01, optimizer: "adam", epochs: 1000000 };
  const own = data === "points" && !state.settings.points.length ? { points: SAMPLE } : {};
  return { ...more, ...own, output: "", loss: "", optimizer_numbers: {} };
}

export function addPoint(x, y) {
  const kind = Number(form.elements.class.value);
  change({ points: [...state.settings.points, [x, y, kind]] });
}

async function readCsv() {
  const file = byId("csv").files[0];
  if (!file) return;
  if (file.size > CSV_BYTES) {
    showErrors({ csv: `file must have at most ${CSV_BYTES.toLocaleString("en-US")} bytes; got ${file.size.toLocaleString("en-US")}` });
    return;
  }
  change({ csv: await file.text(), file: file.name, target: "" });
}

/** Columns that the server has found in the table, and the one that is learned. */
export function setColumns(columns, target) {
  fill(byId("target"), columns.map((name) => [name, name]));
  byId("target").value = target;
}

function change(values) {
  Object.assign(state.settings, values);
  keep();
  show();
  state.changed();
}

// -- shown

function show() {
  const { settings } = state;
  for (const name of SIMPLE) if (name !== "target") byId(name).value = settings[name];
  for (const name of NUMBERS) if (document.activeElement !== byId(name) || byId(name).value === "") byId(name).value = settings[name];
  byId("batch_size").value = settings.batch_size ?? "";
  for (const part of form.querySelectorAll("[data-when]")) {
    part.hidden = !part.dataset.when.split(" ").includes(settings.data);
  }
  for (const box of byId("methods").querySelectorAll("input")) box.checked = settings.methods.includes(box.value);
  form.querySelector("[data-difference]").hidden = !settings.methods.some((method) => method.includes("difference"));
  if (document.activeElement !== byId("points-text")) {
    byId("points-text").value = settings.points.map((point) => point.join(" ")).join("\n");
  }
  showLayers();
  showNumbers("optimizer");
  showNumbers("schedule");
}

function showLayers() {
  const { hidden } = state.settings;
  const place = byId("layers");
  byId("add-layer").disabled = hidden.length >= state.choices.most.layers;
  const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
  place.replaceChildren(...hidden.map(([units, activation], i) => {
    const id = `layer-${i + 1}`;
    const number = make("input", { type: "number", min: 1, max: state.choices.most.units, step: 1, id: `${id}-units`, "aria-label": `Units of hidden layer ${i + 1}`, "aria-describedby": "error-hidden" });
    number.value = units;
    const select = make("select", { id: `${id}-activation`, "aria-label": `Activation of hidden layer ${i + 1}` });
    fill(select, state.choices.activations.map((name) => [name, plain(name)]));
    select.value = activation;
    const remove = make("button", { type: "button", class: "quiet", "aria-label": `Remove hidden layer ${i + 1}` }, "×");
    const replaced = (pair) => change({ hidden: hidden.map((each, k) => (k === i ? pair : each)) });
    number.addEventListener("change", () => replaced([read(number), activation]));
    select.addEventListener("change", () => replaced([units, select.value]));
    remove.addEventListener("click", () => {
      change({ hidden: hidden.filter((_, k) => k !== i) });
      byId("add-layer").focus();
    });
    return make("div", { class: "layer" }, number, select, remove);
  }));
  if (focused) byId(focused)?.focus();
}

/** Inputs for the numbers of the chosen optimizer or schedule, as the library declares them. */
function showNumbers(kind) {
  const name = state.settings[kind], given = state.settings[`${kind}_numbers`];
  const place = byId(`${kind}-numbers`);
  if (place.dataset.of === name && !place.contains(document.activeElement)) place.dataset.of = "";
  if (place.dataset.of === name) return;
  place.dataset.of = name;
  place.replaceChildren(...state.choices[`${kind}s`][name].map((field) => {
    const isSwitch = field.unit === null, several = field.unit?.endsWith("...");
    const input = isSwitch ? make("input", { type: "checkbox" })
      : make("input", { type: several ? "text" : "number", step: "any", placeholder: field.default ?? (several ? "1, 2, 3" : "") });
    if (isSwitch) input.checked = given[field.name] ?? false;
    else input.value = several ? (given[field.name] ?? []).join(", ") : given[field.name] ?? "";
    input.addEventListener("change", () => {
      const numbers = { ...state.settings[`${kind}_numbers`] };
      if (isSwitch) numbers[field.name] = input.checked;
      else if (input.value === "") delete numbers[field.name];
      else numbers[field.name] = several ? input.value.split(",").map(Number) : read(input);
      change({ [`${kind}_numbers`]: numbers });
    });
    return make("label", { title: field.text }, `${plain(field.name)}`, input);
  }));
}

export function showErrors(errors) {
  for (const field of [...form.querySelectorAll(".field")]) {
    const text = errors[field.dataset.field] ?? "";
    const place = byId(`error-${field.dataset.field}`);
    if (place.textContent !== text) place.textContent = text;
    for (const input of field.querySelectorAll("input, select")) {
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }
  byId("error-form").textContent = errors.form ?? "";
}

// -- kept: what differs from the defaults, in the address; a table, in this tab

function keep() {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(state.settings)) {
    if (name === "csv") continue;
    const text = JSON.stringify(value);
    if (text !== JSON.stringify(state.choices.defaults[name])) parts.set(name, text);
  }
  const hash = parts.toString();
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
  try {
    if (state.settings.csv) sessionStorage.setItem(CSV_KEY, state.settings.csv);
    else sessionStorage.removeItem(CSV_KEY);
  } catch {
    sessionStorage.removeItem(CSV_KEY); // too large for it
  }
}

function kept() {
  const found = {};
  for (const [name, text] of new URLSearchParams(location.hash.slice(1))) {
    try {
      found[name] = JSON.parse(text);
    } catch { /* not of this page */ }
  }
  const csv = sessionStorage.getItem(CSV_KEY);
  return csv ? { ...found, csv } : found;
}
