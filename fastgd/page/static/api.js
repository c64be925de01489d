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

export const post = (path, given) => answered(path, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(given),
});

/** Say goodbye while the page is left. */
export function leave(path) {
  navigator.sendBeacon(new URL(path, base), new Blob(["{}"], { type: "application/json" }));
}
