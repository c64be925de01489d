// Calls of the server that this page came from; its address holds the token.

const base = new URL("./", location.href.split("#")[0]);

export class Gone extends Error {}

async function answered(path, options) {
  const response = await fetch(new URL(path, base), options);
  const said = await response.json();
  if (response.status === 410) throw new Gone(said.error);
  if (!response.ok) throw new Error(said.error);
  return said;
}

export const get = (path, signal) => answered(path, { signal });

let last = Promise.resolve();

/** One after the other, in the order in which they are asked for. */
export function post(path, given) {
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(given),
  };
  const said = last.then(() => answered(path, options));
  last = said.catch(() => {});
  return said;
}

/** A function that calls `task` with the latest value that it was given, once the last call is done. */
export function latest(task) {
  let waiting = null, busy = false;
  return async (value) => {
    waiting = { value };
    if (busy) return;
    busy = true;
    while (waiting) {
      const next = waiting;
      waiting = null;
      await task(next.value);
    }
    busy = false;
  };
}

/** Say goodbye while the page is left. */
export function leave(path) {
  navigator.sendBeacon(new URL(path, base), new Blob(["{}"], { type: "application/json" }));
}
