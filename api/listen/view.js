// The small pieces the page is drawn with.

export const by = (id) => document.getElementById(id);
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/** Say where things are. `focus`: what the person used is gone from the page, so go on from here. */
export function status(text, { focus = false } = {}) {
  by("status").textContent = text;
  if (focus) by("status").focus();
}

/** Say what went wrong, or nothing. */
export function trouble(text) {
  by("trouble").textContent = text;
  by("trouble").hidden = !text;
}

/** Show how far a download is; without a share, that it goes on. */
export function getting(text, share) {
  by("getting").hidden = false;
  by("getting-text").textContent = text;
  if (share === undefined) by("getting-bar").removeAttribute("value");
  else by("getting-bar").value = share;
}

/** A line of a list: text, a note under it, buttons. */
export function line(text, note, ...buttons) {
  const [item, words, small] = ["li", "span", "small"].map((name) => document.createElement(name));
  words.textContent = text;
  small.textContent = note;
  words.append(small);
  item.append(words, ...buttons);
  return item;
}

/** A button; `about` tells a screen reader what it acts on. */
export function button(text, about, act) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: text, onclick: act });
  made.setAttribute("aria-label", `${text} ${about}`);
  return made;
}

const PROOFS = {
  refused: (part) => `Just now ${part} tried to open a connection, and the browser refused.`,
  open: (part) => `Just now ${part} could open a connection. Tell whoever runs this server.`,
  unknown: (part) => `Whether ${part} can open a connection could not be checked.`,
};

/** Say of a part that knows audio how its try to open a connection ended. */
export function showProof(part, connection) {
  const item = document.createElement("li");
  item.className = connection === "refused" ? "held" : "broken";
  item.textContent = PROOFS[connection](part);
  by("proof").append(item);
}
