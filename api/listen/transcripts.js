// What was heard, newest first. It lives until this tab is closed, and through a reload.

import { by, line } from "./view.js";

const NAME = "adaptwin transcripts";

const kept = () => JSON.parse(sessionStorage.getItem(NAME) ?? "[]");

export function addTranscript(text, seconds) {
  const note = `${seconds.audio.toFixed(1)} s of sound, heard in ${seconds.compute.toFixed(1)} s on this device`;
  const added = { text: text || "(nothing was said)", note };
  sessionStorage.setItem(NAME, JSON.stringify([added, ...kept()]));
  by("heard").prepend(line(added.text, note)); // alone: a screen reader reads what is new
  by("clear").hidden = false;
}

export function showTranscripts() {
  by("heard").replaceChildren(...kept().map(({ text, note }) => line(text, note)));
  by("clear").hidden = !kept().length;
}

by("clear").onclick = () => {
  sessionStorage.removeItem(NAME);
  showTranscripts();
};
