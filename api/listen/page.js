// What the person sees. It may open no connection; the courier downloads, the recognizer listens, never both at once.

import { tryToConnect } from "./connection.js";
import { closeEar, finishHearing, openEar, showHeard } from "./hearing.js";
import { alone, entries, forget, keptFile, keyOf } from "./kept.js";
import { WASM_SHA256 } from "./runtime.js";
import { showTranscripts } from "./transcripts.js";
import { button, by, getting, line, megabytes, showProof, status, trouble } from "./view.js";

const KEY = "adaptwin key"; // in this tab's storage
const NOT_OPEN = "Open a model first.";

let worker = null; // the courier or the recognizer
let listening = null; // the entry of the model that the recognizer was given
let onServer = []; // models as the courier tells of them

/** Start one of the two workers, and return it. The other ends. */
function start(script, receive) {
  worker?.terminate();
  listening = null;
  closeEar();
  by("proof").replaceChildren();
  worker = new Worker(new URL(script, import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => receive(data);
  worker.onerror = () => receive({ kind: "trouble", message: `${script} could not be started: is the server reachable?` });
  return worker;
}

// --- downloading

function sendCourier(message) {
  start("courier.js", fromCourier).postMessage({ key: sessionStorage.getItem(KEY), ...message });
}

function fromCourier(data) {
  if (data.kind === "making") getting(`The server makes this form and listens to it first: ${data.state}`);
  if (data.kind === "progress") getting(`Downloading: ${megabytes(data.done)} of ${megabytes(data.total)}`, data.done / data.total);
  if (data.kind === "kept") open(data.entry);
  if (data.kind === "models") {
    onServer = data.models;
    by("no-models").hidden = onServer.length > 0;
  }
  if (data.kind === "trouble") trouble(data.message);
  if (data.kind === "models" || data.kind === "trouble") {
    status(NOT_OPEN);
    showModels();
  }
}

function download(model) {
  trouble("");
  sendCourier({ do: "get", model, form: chosenForm() });
  by("models").replaceChildren();
  by("form-choice").hidden = true;
  getting("Asking the server …");
  status(`Downloading ${model.title} …`, { focus: true });
}

// --- listening

async function open(entry) {
  if (!(await keptFile(WASM_SHA256))) return sendCourier({ do: "get runtime", entry });
  const mine = start("recognizer.js", (data) => fromRecognizer(data, entry, mine));
  mine.postMessage({ do: "open", entry });
  listening = entry;
  location.hash = entry.key;
  navigator.storage.persist?.();
  status(`Opening ${entry.title} …`, { focus: true });
  showModels();
}

async function fromRecognizer(data, entry, mine) {
  const listen = () => openEar((audio) => mine.postMessage({ do: "hear", audio }, [audio.buffer]));
  if (data.kind === "partial" || data.kind === "piece") showHeard(data);
  if (data.kind === "opened" && (await isProven(data.connection)) && worker === mine) {
    status(`${entry.title} is open (${data.seconds.toFixed(1)} s). Speak, or choose a file.`);
    listen();
  }
  if (data.kind === "heard") {
    finishHearing();
    status("Ready for more.");
    listen();
  }
  if (data.kind === "trouble") {
    trouble(`${data.message} Open the model again.`);
    mine.terminate(); // after one failure its queue stays broken
    closeEar();
    listening = null;
    status(NOT_OPEN);
    showModels();
  }
}

/** Whether the browser keeps both parts that know audio from connecting; the person is shown. */
async function isProven(recognizers) {
  const found = { "the recognizer": recognizers, "this page": await tryToConnect() };
  for (const [part, connection] of Object.entries(found)) showProof(part, connection);
  const isHeld = Object.values(found).every((connection) => connection === "refused");
  if (!isHeld) status("The microphone stays off: this browser does not keep the page from connecting.");
  return isHeld;
}

// --- the list of models

const chosenForm = () => document.querySelector('input[name="form"]:checked').value;

/** Draw the models: those on this device, then those that only the server has in the chosen form. */
async function showModels() {
  const kept = await entries();
  const isKept = (model) => kept.some((entry) => entry.key === keyOf(model.id, chosenForm()));
  const missing = onServer.filter((model) => !isKept(model));
  by("getting").hidden = true;
  by("form-choice").hidden = !onServer.length;
  by("models").replaceChildren(
    ...kept.map(keptLine),
    ...missing.map((model) => line(model.title, `on the server; ${model.note}`, button("Download", model.title, () => download(model)))),
  );
}

function keptLine(entry) {
  const bits = entry.form === "onnx-int8" ? 8 : 32;
  const note = `on this device, ${megabytes(entry.bytes)}, ${bits} bits; ${entry.note}`;
  if (entry.key === listening?.key) return line(entry.title, `open now; ${note}`);
  const reopen = () => {
    trouble("");
    open(entry);
  };
  const remove = async () => {
    await alone(() => forget(entry.key));
    showModels();
  };
  return line(entry.title, note, button("Open", entry.title, reopen), button("Remove", entry.title, remove));
}

for (const choice of document.getElementsByName("form")) choice.onchange = showModels;

by("sign-in").onsubmit = (event) => {
  event.preventDefault();
  trouble("");
  sessionStorage.setItem(KEY, by("key").value.trim());
  by("key").value = "";
  sendCourier({ do: "list" });
  status("Asking the server for your models …");
};

if (window.isSecureContext) {
  showTranscripts();
  await showModels();
  const last = (await entries()).find((entry) => entry.key === location.hash.slice(1));
  if (last) open(last);
  else if (sessionStorage.getItem(KEY)) sendCourier({ do: "list" });
} else {
  trouble("Browsers allow microphone and storage only over https, or on localhost. Open this page that way.");
}
