// What the person sees. It may open no connection; the courier downloads, the recognizer listens, never both at once.

import { canConnect } from "./connection.js";
import { hideHeard, listenWith, showHeard } from "./hearing.js";
import { entries, forget, keyOf } from "./kept.js";
import { addTranscript, showTranscripts } from "./transcripts.js";
import { button, by, getting, line, megabytes, showProof, status, trouble } from "./view.js";

const KEY = "adaptwin key"; // in this tab's storage

let worker = null; // the courier or the recognizer
let opened = null; // the entry of the model that listens
let onServer = []; // models as the courier tells of them

/** Start one of the two workers. The other ends. */
function start(script, receive) {
  worker?.terminate();
  opened = null;
  closeEar();
  worker = new Worker(new URL(script, import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => receive(data);
  worker.onerror = () => trouble("This browser could not start a part of this page. Use a current Firefox, Chrome, Edge or Safari.");
}

function closeEar() {
  hideHeard();
  listenWith(null);
  by("proof").replaceChildren();
}

// --- downloading

function sendCourier(message) {
  trouble("");
  start("courier.js", fromCourier);
  worker.postMessage({ key: sessionStorage.getItem(KEY), ...message });
  status("Open a model first.");
}

function fromCourier(data) {
  if (data.kind === "making") getting(`The server makes this form and listens to it first: ${data.state}`);
  if (data.kind === "progress") getting(`Downloading: ${megabytes(data.done)} of ${megabytes(data.total)}`, data.done / data.total);
  if (data.kind === "kept") open(data.entry);
  if (data.kind === "models") {
    onServer = data.models;
    by("no-models").hidden = onServer.length > 0;
    showModels();
  }
  if (data.kind === "trouble") {
    trouble(data.message);
    showModels();
  }
}

function download(model) {
  sendCourier({ do: "get", model, form: chosenForm() });
  by("models").replaceChildren();
  getting("Asking the server …");
}

// --- listening

function open(entry) {
  trouble("");
  start("recognizer.js", (data) => fromRecognizer(data, entry));
  worker.postMessage({ do: "open", entry });
  location.hash = entry.key;
  navigator.storage.persist?.();
  status(`Opening ${entry.title} …`);
  showModels();
}

async function fromRecognizer(data, entry) {
  if (data.kind === "partial" || data.kind === "piece") showHeard(data);
  if (data.kind === "opened") {
    opened = entry;
    showProof("the recognizer", data.isConnected);
    showProof("this page", await canConnect());
    status(`${entry.title} is open (${data.seconds.toFixed(1)} s). Speak, or choose a file.`);
    showModels();
  }
  if (data.kind === "heard") {
    addTranscript(data);
    status("Ready for more.");
  }
  if (data.kind === "trouble") {
    trouble(data.message);
    status(opened ? "Ready to try again." : "Open a model first.");
  }
  if (opened && ["opened", "heard", "trouble"].includes(data.kind)) {
    hideHeard();
    listenWith((audio) => worker.postMessage({ do: "hear", audio }, [audio.buffer]));
  }
}

// --- the list of models

const chosenForm = () => document.querySelector('input[name="form"]:checked').value;

/** Draw the models: those on this device, then those that only the server has in the chosen form. */
async function showModels() {
  const kept = await entries();
  const isKept = (model) => kept.some((entry) => entry.key === keyOf(model.id, chosenForm()));
  by("getting").hidden = true;
  by("form-choice").hidden = !onServer.length;
  by("models").replaceChildren(
    ...kept.map(keptLine),
    ...onServer.filter((model) => !isKept(model)).map((model) =>
      line(model.title, `on the server; ${model.note}`, button("Download", model.title, () => download(model))),
    ),
  );
}

function keptLine(entry) {
  const bits = entry.form === "onnx-int8" ? 8 : 32;
  const note = `on this device, ${megabytes(entry.bytes)}, ${bits} bits; ${entry.note}`;
  if (entry.key === opened?.key) return line(entry.title, `open now; ${note}`);
  const remove = async () => {
    await forget(entry.key);
    showModels();
  };
  return line(entry.title, note, button("Open", entry.title, () => open(entry)), button("Remove", entry.title, remove));
}

for (const choice of document.getElementsByName("form")) choice.onchange = showModels;

by("sign-in").onsubmit = (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, by("key").value.trim());
  by("key").value = "";
  sendCourier({ do: "list" });
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
