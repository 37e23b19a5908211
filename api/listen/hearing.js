// Sound to the recognizer, and its words to the person: the record button, the file field, the words as they come.

import { RATE_HZ } from "./pieces.js";
import { decoded, Recording } from "./sound.js";
import { addTranscript } from "./transcripts.js";
import { by, status, trouble } from "./view.js";

let ear = null; // takes samples to the recognizer; null while none is open
let running = null; // the recording that runs
let isBusy = false; // between two of them, or while the recognizer listens
let heard = null; // {texts, seconds} of the sound that is listened to

/** Let a person speak. `send` takes samples to one recognizer, and to no other. */
export function openEar(send) {
  ear = send;
  isBusy = false;
  showControls();
}

/** End what runs; what was heard so far is kept. */
export function closeEar() {
  running?.end();
  [ear, running, isBusy] = [null, null, false];
  finishHearing();
  showControls();
}

/** Take in a part of what the recognizer makes of the sound. */
export function showHeard({ kind, text, share, seconds }) {
  by("partial").textContent = kind === "partial" ? [...heard.texts, text].join(" ") : heard.texts.join(" ");
  if (kind !== "piece") return;
  heard.texts.push(text);
  heard.seconds = seconds;
  by("hearing").value = share;
}

/** The recognizer is through with the sound, or was stopped. */
export function finishHearing() {
  if (heard?.seconds) addTranscript(heard.texts.filter(Boolean).join(" "), heard.seconds);
  heard = null;
  by("partial").textContent = "";
}

/** Do something that ends in one recognizer's hearing, or in none. */
async function attempt(act) {
  if (!ear || isBusy) return;
  const mine = ear;
  isBusy = true;
  trouble("");
  showControls();
  try {
    await act(() => ear === mine);
  } catch (error) {
    if (ear === mine) trouble(error.message);
  }
  if (ear === mine && !heard) isBusy = false;
  showControls();
}

async function toggle(isStillMine) {
  if (running) {
    const ended = running;
    running = null;
    await hear(await ended.stop(), isStillMine);
    return;
  }
  const started = await Recording.start((level) => (by("level").value = level));
  if (!isStillMine()) return started.end();
  running = started;
  status("Recording. Press Stop when you are done.");
}

async function hear(blob, isStillMine) {
  const audio = await decoded(blob);
  if (!isStillMine()) return;
  status(`Listening to ${(audio.length / RATE_HZ).toFixed(1)} s of sound …`);
  heard = { texts: [], seconds: null };
  by("hearing").value = 0;
  ear(audio);
}

function showControls() {
  by("record").disabled = !ear || isBusy;
  by("record").textContent = running ? "Stop" : "Record";
  by("record").classList.toggle("running", Boolean(running));
  by("file").disabled = !ear || isBusy || Boolean(running);
  by("level-label").hidden = !running;
  by("hearing-label").hidden = !heard;
}

by("record").onclick = () => attempt(toggle);
by("file").onchange = () => {
  const [file] = by("file").files;
  by("file").value = "";
  if (file) attempt((isStillMine) => hear(file, isStillMine));
};
