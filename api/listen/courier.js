// Lists models and downloads them: the one part of the page that may talk to the server. It is never given audio, and
// the page shuts it down before a model is opened.

import { alone, keepEntry, keepFile, keptFile, keyOf } from "./kept.js";
import { WASM, WASM_SHA256 } from "./runtime.js";

const POLL_MS = 1000;

onmessage = async ({ data }) => {
  try {
    if (data.do === "list") postMessage({ kind: "models", models: await list(data.key) });
    if (data.do === "get") postMessage({ kind: "kept", entry: await alone(() => get(data.key, data.model, data.form)) });
    if (data.do === "get runtime") {
      await alone(getRuntime);
      postMessage({ kind: "kept", entry: data.entry });
    }
  } catch (error) {
    postMessage({ kind: "trouble", message: String(error?.message ?? error) });
  }
};

async function ask(key, path, options = {}) {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  const answer = await fetch(path, { ...options, headers }).catch(() => {
    throw new Error("The server cannot be reached. Check the network, then try again.");
  });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Error(answer.status === 401 ? "The server does not know this API key." : (problem.detail ?? `Error ${answer.status}`));
}

async function list(key) {
  const found = [];
  for (let page = { has_more: true }; page.has_more; ) {
    const after = found.length ? `&after=${found.at(-1)}` : "";
    page = await (await ask(key, `/v1/models?limit=50${after}`)).json();
    found.push(...page.items.map(({ id }) => id));
  }
  const shown = await Promise.allSettled(found.map(async (id) => described(await (await ask(key, `/v1/models/${id}`)).json())));
  return shown.filter(({ status }) => status === "fulfilled").map(({ value }) => value); // one may be deleted meanwhile
}

/** What a person wants to know of a model, in words. */
function described({ id, created_at: made, manifest }) {
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const heard = manifest.speech.speaker; // absent where no speech was held out
  const rate = heard?.compressed.error_rate ?? heard?.compressed.wer; // older reports judge by words alone
  const errors = heard?.reference === "transcripts" ? `${percent(rate)} of your ${heard.unit ?? "word"}s wrong, ` : "";
  return {
    id,
    title: `${manifest.base_model.split("/").pop()}, ${percent(manifest.plan.total_cut)} fewer parameters`,
    note: `${errors}made ${new Date(made).toLocaleString()}`,
    language: manifest.spec.language,
  };
}

/** Have the model made in `form` if it is not yet, download what is missing, and return its entry. */
async function get(key, model, form) {
  const where = `/v1/models/${model.id}/exports`;
  await ask(key, where, { method: "POST", body: JSON.stringify({ format: form }) });
  const made = await finished(key, `${where}/${form}`);
  const files = Object.entries(made.files);
  const total = files.reduce((sum, [, file]) => sum + file.bytes, 0);
  let before = 0;
  for (const [name, { sha256, bytes }] of files) {
    if (!(await keptFile(sha256))) {
      const answer = await ask(key, `${where}/${form}/files/${name}`);
      const tell = (arrived) => postMessage({ kind: "progress", done: before + arrived, total });
      await keepFile(name, sha256, await received(answer, tell));
    }
    before += bytes;
    postMessage({ kind: "progress", done: before, total });
  }
  await getRuntime();
  const entry = { ...model, key: keyOf(model.id, form), form, bytes: total, files: made.files };
  await keepEntry(entry);
  return entry;
}

async function getRuntime() {
  if (!(await keptFile(WASM_SHA256))) await keepFile("The recognizer", WASM_SHA256, await (await ask("", WASM)).blob());
}

async function finished(key, path) {
  for (;;) {
    const made = await (await ask(key, path)).json();
    if (made.state === "ready") return made;
    if (made.state === "refused") throw new Error(`The server does not hand this form out: ${made.verdict.why}`);
    if (made.state === "failed") throw new Error(`The server could not make this form: ${made.error.message}`);
    postMessage({ kind: "making", state: made.state });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function received(answer, tell) {
  const parts = [];
  let bytes = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts);
    parts.push(value);
    tell((bytes += value.length));
  }
}
