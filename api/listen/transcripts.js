// What was heard, newest first. It lives until this tab is closed, and through a reload.

import { by, line } from "./view.js";

const NAME = "adaptwin transcripts";

const kept = () => JSON.parse(sessionStorage.getItem(NAME) ?? "[]");

export function addTranscript({ text, seconds }) {
  const note = `${seconds.audio.toFixed(1)} s of sound, heard in ${seconds.compute.toFixed(1)} s on this device`;
  sessionStorage.setItem(NAME, JSON.stringify([{ text: text || "(nothing was said)", note }, ...kept()]));
  showTranscripts();
}

export function showTranscripts() {
  by("heard").replaceChildren(...kept().map(({ text, note }) => line(text, note)));
  by("clear").hidden = !kept().length;
}

by("clear").onclick = () => {
  sessionStorage.removeItem(NAME);
  showTranscripts();
};
