// The race, and rows with their outputs, as tables.

import { byId, count, make, makeSvg, number, plain, short } from "./text.js";

export function setRace(racers, chosen, choose) {
  const body = byId("race").tBodies[0];
  if (body.rows.length !== racers.length || body.dataset.of !== racers.map((r) => r.method).join()) {
    body.dataset.of = racers.map((r) => r.method).join();
    body.replaceChildren(...racers.map((racer, i) => {
      const radio = make("input", { type: "radio", name: "shown", value: i });
      radio.addEventListener("change", () => choose(i));
      const swatch = makeSvg("svg", { class: "swatch", viewBox: "0 0 24 12", "aria-hidden": "true" });
      swatch.append(makeSvg("path", { class: `curve method-${i}`, d: "M0 6H24" }));
      const label = make("label", { class: "choice" }, radio, swatch, plain(racer.method));
      const cells = Array.from({ length: 4 }, () => make("td"));
      return make("tr", {}, make("th", { scope: "row" }, label), ...cells);
    }));
  }
  byId("race-hint").textContent = racers.length > 1
    ? "They take turns; the pictures show the one that is chosen."
    : byId("form").checkVisibility?.() ? "Choose more methods in the settings, and they race." : "";
  racers.forEach((racer, i) => {
    const row = body.rows[i];
    row.querySelector("input").checked = i === chosen;
    const texts = [count(racer.epoch), racer.seconds.toFixed(3),
      racer.per_second ? short(racer.per_second) : "–", number(racer.cost)];
    texts.forEach((text, k) => { row.cells[k + 1].textContent = text; });
  });
}

export function setRows(scene, outputs) {
  const table = byId("rows-table");
  const inputs = scene.inputs.slice(0, 6), names = scene.outputs.slice(0, 6);
  const more = scene.inputs.length > 6 ? ["…"] : [];
  const classes = scene.Y.flat().every((y) => y === 0 || y === 1);
  const isOneHot = classes && scene.outputs.length > 1;
  const of = (name) => (names.length > 1 ? `${name} ` : "");
  const targets = isOneHot ? ["class"] : names.map((name) => `${of(name)}target`);
  const titles = [...inputs, ...more, ...targets, ...names.map((name) => `${of(name)}output`)];
  const head = make("tr", {}, ...titles.map((title) => make("th", { scope: "col" }, title)));
  const body = outputs.map((output, i) => {
    const right = !classes || (isOneHot
      ? output.indexOf(Math.max(...output)) === scene.Y[i].indexOf(1)
      : (output[0] >= 0.5) === (scene.Y[i][0] === 1));
    const cell = (value, kind = "") => make("td", { class: kind }, value === null ? "–" : number(value));
    return make("tr", {},
      ...inputs.map((_, k) => cell(scene.X[i][k])), ...more.map((dots) => make("td", {}, dots)),
      ...(isOneHot ? [make("td", {}, scene.outputs[scene.Y[i].indexOf(1)] ?? "–")]
        : names.map((_, k) => cell(scene.Y[i][k]))),
      ...names.map((_, k) => cell(output[k], right ? "right-one" : "wrong-one")));
  });
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...body);
}
