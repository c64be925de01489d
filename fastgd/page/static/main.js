// The page: a session of the server, its frames as pictures, and buttons that ask it for more.

import { Gone, get, latest, leave, post } from "./api.js";
import * as costs from "./costs.js";
import * as form from "./form.js";
import * as network from "./network.js";
import * as surface from "./surface.js";
import { setRace, setRows } from "./tables.js";
import { byId, fill, make, number, short } from "./text.js";
import { setUpTheme } from "./theme.js";

const CALM = 5000; // milliseconds between two things that a screen reader is told of a run
const state = {
  mode: "play", session: null, scene: null, version: 0, view: { run: 0, x: 0, y: 1, output: 0 },
  status: "", waiting: null, told: 0, frame: null,
};

const path = (rest) => `sessions/${state.session}/${rest}`;
const ask = (action, value) => post(path("do"), { action, value }).catch(gone);

// -- a session

async function open() {
  const said = await post("sessions", form.settings());
  form.showErrors(said.errors ?? {});
  if (said.errors) {
    // wrong settings in the address: those of the first run are there meanwhile
    const first = await post("sessions", {});
    state.session = first.session;
    take(first);
    return;
  }
  state.session = said.session;
  take(said);
}

function take(said) {
  const { scene } = said;
  state.scene = scene;
  state.version = 0;
  byId("title").textContent = scene.title;
  showAxes(scene);
  network.setScene(scene);
  surface.setScene(scene, state.mode === "play" ? form.points() : null, form.addPoint);
  if (state.mode === "play") {
    form.setColumns(scene.columns ?? [], scene.target ?? "");
    byId("command-part").hidden = !said.command;
    byId("command").textContent = said.command ?? "";
    byId("python").textContent = said.python;
  }
  again();
}

async function settingsChanged() {
  surface.setScene(state.scene, form.points(), form.addPoint);
  try {
    const said = await post(path("settings"), form.settings());
    form.showErrors(said.errors ?? {});
  } catch (error) {
    await gone(error);
  }
}

async function gone(error) {
  if (error instanceof Gone && state.mode === "play") await open();
  else showStatus(error.message, true);
}

// -- frames

/** Ask at once: what is looked at has changed. */
function again() {
  state.version = 0;
  state.waiting?.abort();
}

async function follow() {
  for (;;) {
    while (document.hidden) await new Promise((done) => setTimeout(done, 500));
    state.waiting = new AbortController();
    const { run, x, y, output } = state.view;
    const query = new URLSearchParams({ after: state.version, run, x, y, output });
    try {
      const frame = await get(path(`frame?${query}`), state.waiting.signal);
      if (!frame.racers) continue;
      if (frame.scene !== state.scene.number) {
        take(await get(path("scene")));
        continue;
      }
      state.version = frame.version + 1;
      await new Promise(requestAnimationFrame);
      show(frame);
      if (state.mode === "watch" && frame.status === "done") {
        ended();
        return;
      }
    } catch (error) {
      if (error.name === "AbortError") continue;
      if (error instanceof Gone && state.mode === "play") {
        await open();
        continue;
      }
      if (!(error instanceof TypeError)) throw error;
      ended();
      return;
    }
  }
}

/** The server answers no more: the command, or the training, has ended. */
function ended() {
  for (const button of document.querySelectorAll("#controls button, #controls select")) button.disabled = true;
  byId("form").querySelectorAll("input, select, button, textarea").forEach((each) => { each.disabled = true; });
  showStatus(state.mode === "play"
    ? "The command has ended. Start fastgd play again, and open the address that it prints."
    : "The training has ended; this is the last that was seen of it.", state.mode === "play");
  byId("told").textContent = byId("status").textContent;
  document.body.dataset.ended = "true";
}

function show(frame) {
  state.frame = frame;
  state.view.run = Math.min(state.view.run, frame.racers.length - 1);
  const racer = frame.racers[state.view.run];
  const running = frame.status === "running" || frame.status === "getting ready";
  byId("epoch").textContent = short(racer.epoch);
  byId("cost").textContent = number(racer.cost);
  byId("speed").textContent = racer.per_second ? short(racer.per_second) : "–";
  byId("right").textContent = frame.right === null ? "–" : `${Math.round(1000 * frame.right) / 10} %`;
  byId("right-part").hidden = frame.right === null;
  byId("run").textContent = running ? "Pause" : "Run";
  byId("run").disabled = !running && frame.status === "done";
  byId("step").disabled = frame.status === "done";
  document.body.dataset.status = frame.status;
  showStatus(...words(frame, racer));
  surface.setPicture(frame.surface);
  surface.refreshReadout();
  network.setLayers(frame.network);
  costs.setRacers(frame.racers, running);
  setRace(frame.racers, state.view.run, (run) => { state.view.run = run; again(); });
  setRows(state.scene, frame.outputs);
  byId("scale-low").textContent = number(state.scene.levels[0]);
  byId("scale-high").textContent = number(state.scene.levels[1]);
  byId("surface").setAttribute("aria-label",
    `${state.scene.outputs[frame.surface.output]} over ${state.scene.inputs[frame.surface.x]} and ${state.scene.inputs[frame.surface.y]}`);
  byId("network").setAttribute("aria-label", `Network of ${state.scene.widths.join("-")} units`);
  tell(frame, racer, running);
}

function words(frame, racer) {
  if (racer.error || frame.message) return [racer.error || frame.message, true];
  if (frame.status === "getting ready") return ["Getting ready: the loop for this network is compiled once.", false];
  if (racer.stalled) return ["More training changes nothing: steps are smaller than half a unit in the last place.", false];
  if (frame.warnings.length) return [frame.warnings.join(" "), false];
  if (frame.status === "paused" && !racer.furthest) return ["Press Run, or Step for a single epoch.", false];
  return [frame.status === "done" ? "All epochs are done." : "", false];
}

function showStatus(text, bad) {
  const place = byId("status");
  if (place.textContent !== text) place.textContent = text;
  place.classList.toggle("bad", Boolean(bad));
}

/** What a screen reader is told: at once where the state changes, otherwise now and then. */
function tell(frame, racer, running) {
  const now = performance.now();
  if (frame.status === state.status && !(running && now - state.told > CALM)) return;
  state.status = frame.status;
  state.told = now;
  byId("told").textContent = `${frame.status}: epoch ${racer.epoch.toLocaleString("en-US")}, cost ${number(racer.cost)}`;
}

/** Selects for the inputs and the output of the surface, where there are several. */
function showAxes(scene) {
  const names = scene.inputs.map((name, i) => [i, name]);
  state.view.x = Math.min(state.view.x, names.length - 1);
  state.view.y = Math.min(state.view.y, names.length - 1);
  state.view.output = Math.min(state.view.output, scene.outputs.length - 1);
  const chooser = (key, entries, label) => {
    const select = make("select", { "aria-label": label });
    fill(select, entries);
    select.value = state.view[key];
    select.addEventListener("change", () => { state.view[key] = Number(select.value); again(); });
    return select;
  };
  const parts = [];
  if (scene.outputs.length > 1) parts.push(chooser("output", scene.outputs.map((name, i) => [i, name]), "Output that is shown"), "over");
  if (names.length > 2) parts.push(chooser("x", names, "Input to the right"), "and", chooser("y", names, "Input upward"));
  byId("axes").replaceChildren(...parts);
}

// -- buttons

function setUpButtons() {
  byId("run").addEventListener("click", () => ask(byId("run").textContent === "Run" ? "run" : "pause"));
  byId("step").addEventListener("click", () => ask("step"));
  byId("reset").addEventListener("click", () => ask("reset"));
  byId("stop").addEventListener("click", () => ask("stop"));
  byId("pace").addEventListener("change", () => ask("pace", byId("pace").value ? Number(byId("pace").value) : null));
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const place = byId(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(place.textContent);
        byId("copied").textContent = "Copied";
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      } catch {
        getSelection().selectAllChildren(place); // to be copied by hand
      }
    });
  }
}

async function start() {
  const choices = await get("choices");
  state.mode = choices.mode;
  byId("mode").textContent = document.body.dataset.mode = choices.mode;
  setUpTheme(() => surface.draw());
  setUpButtons();
  costs.setUpCosts(latest((epoch) => ask("back", epoch)));
  if (choices.mode === "play") {
    const narrow = matchMedia("(max-width: 62rem)");
    byId("settings").open = !narrow.matches;
    narrow.addEventListener("change", () => { byId("settings").open = !narrow.matches; });
    form.setUpForm(choices, latest(settingsChanged));
    addEventListener("pagehide", (event) => { if (!event.persisted) leave(path("close")); });
    await open();
  } else {
    for (const id of ["settings-part", "share-part", "back-part", "race-part", "step", "reset"]) byId(id).hidden = true;
    document.querySelector(".pace").hidden = true;
    byId("stop").hidden = false;
    state.session = choices.session;
    take(await get(path("scene")));
  }
  await follow();
}

start();
