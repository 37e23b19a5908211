// The small pieces the page is drawn with.

export const by = (id) => document.getElementById(id);
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

export function status(text) {
  by("status").textContent = text;
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

/** Say of a part that knows audio whether the browser let it open a connection. */
export function showProof(part, isConnected) {
  const item = document.createElement("li");
  item.className = isConnected ? "broken" : "held";
  item.textContent = isConnected
    ? `Just now ${part} could open a connection. Do not speak here: tell whoever runs this server.`
    : `Just now ${part} tried to open a connection, and the browser refused.`;
  by("proof").append(item);
}
