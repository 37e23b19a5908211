// Sound to the recognizer: the record button and the file field.

import { RATE_HZ } from "./pieces.js";
import { decoded, recording } from "./sound.js";
import { by, status, trouble } from "./view.js";

let stop = null; // ends the recording that runs

/** Let both be used, or not. `send` takes samples to the recognizer. */
export function listenWith(send) {
  by("record").disabled = by("file").disabled = !send;
  by("record").onclick = () => attempt(() => toggle(send));
  by("file").onchange = () => {
    const [file] = by("file").files;
    by("file").value = "";
    if (file) attempt(() => hear(file, send));
  };
}

async function attempt(act) {
  trouble("");
  try {
    await act();
  } catch (error) {
    trouble(error.message);
  }
}

async function toggle(send) {
  if (stop) {
    const ended = stop;
    stop = null;
    showRecording();
    await hear(await ended(), send);
  } else {
    stop = await recording((level) => (by("level").value = level));
    status("Recording. Press Stop when you are done.");
    showRecording();
  }
}

function showRecording() {
  by("record").textContent = stop ? "Stop" : "Record";
  by("record").setAttribute("aria-pressed", String(Boolean(stop)));
  by("file").disabled = Boolean(stop);
  by("level-label").hidden = !stop;
}

async function hear(blob, send) {
  const audio = await decoded(blob);
  status(`Listening to ${(audio.length / RATE_HZ).toFixed(1)} s of sound …`);
  by("hearing").value = 0;
  by("hearing-label").hidden = false;
  listenWith(null);
  send(audio);
}

export function showHeard({ text, share }) {
  if (text !== undefined) by("partial").textContent = text;
  if (share !== undefined) by("hearing").value = share;
}

export function hideHeard() {
  by("hearing-label").hidden = true;
  by("partial").textContent = "";
}
