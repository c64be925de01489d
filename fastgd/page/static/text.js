// Numbers and names in words, and small helpers for elements.

export const byId = (id) => document.getElementById(id);

const whole = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

export const count = (value) => whole.format(value);

/** 1,234,567, or 123M where that would be long. */
export const short = (value) => (value < 1e7 ? count(Math.round(value)) : compact.format(value));

/** A number of a few digits: 0.0123, 4.56e-7. */
export function number(value) {
  if (value === null || value === undefined) return "not finite";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

export const plain = (name) => name.replaceAll("_", " ");

/** An element with attributes and children; text is put in as text. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function makeSvg(name, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

/** Fill a select with options [value, text], or groups {label, options}. */
export function fill(select, entries) {
  const option = ([value, text]) => make("option", { value }, text);
  select.replaceChildren(...entries.map((entry) =>
    Array.isArray(entry) ? option(entry)
      : make("optgroup", { label: entry.label }, ...entry.options.map(option))));
}

export const colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();
