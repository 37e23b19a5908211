// The recognizer: onnxruntime's WebAssembly, driven by transformers.js, in a worker that may open no connection.

import { env, pipeline, TextStreamer } from "./vendor/transformers.web.min.js";
import { canConnect } from "./connection.js";
import { addressOf, keptFile } from "./kept.js";
import { pieces, RATE_HZ } from "./pieces.js";
import { WASM, WASM_LOADER } from "./runtime.js";

const MODEL = "kept"; // transformers.js wants a name

let transcriber, entry;

onmessage = async ({ data }) => {
  try {
    if (data.do === "open") await open(data.entry);
    if (data.do === "hear") await hear(data.audio);
  } catch (error) {
    postMessage({ kind: "trouble", message: error.message });
  }
};

async function open(wanted) {
  const began = performance.now();
  entry = wanted;
  const { wasm } = env.backends.onnx;
  wasm.wasmBinary = await (await keptFile(WASM)).arrayBuffer();
  wasm.wasmPaths = { mjs: WASM_LOADER };
  Object.assign(env, { allowLocalModels: true, allowRemoteModels: false, useBrowserCache: false, useWasmCache: false });
  env.fetch = fromKept;
  const dtype = entry.form === "onnx-int8" ? "q8" : "fp32";
  transcriber = await pipeline("automatic-speech-recognition", MODEL, { dtype, device: "wasm" });
  const seconds = (performance.now() - began) / 1000;
  postMessage({ kind: "opened", seconds, isConnected: await canConnect() });
}

/** What transformers.js would fetch, from what this device keeps. */
async function fromKept(path) {
  const name = String(path).split(`/${MODEL}/`)[1];
  const file = entry.files[name];
  return (file && (await keptFile(addressOf(file.sha256)))) ?? new Response(null, { status: 404 });
}

async function hear(audio) {
  const began = performance.now();
  const texts = [];
  const language = transcriber.model.generation_config.is_multilingual ? { language: entry.language, task: "transcribe" } : {};
  const say = (partial) => postMessage({ kind: "partial", text: [...texts, partial].join(" ") });
  for (const piece of pieces(audio)) {
    let partial = "";
    const streamer = new TextStreamer(transcriber.tokenizer, {
      skip_prompt: true,
      skip_special_tokens: true,
      callback_function: (words) => say((partial += words)),
    });
    const { text } = await transcriber(piece.audio, { ...language, streamer, max_new_tokens: mostTokens(piece.audio) });
    texts.push(text.trim());
    postMessage({ kind: "piece", share: piece.end / audio.length });
  }
  const seconds = { audio: audio.length / RATE_HZ, compute: (performance.now() - began) / 1000 };
  postMessage({ kind: "heard", text: texts.filter(Boolean).join(" "), seconds });
}

/** The words a person can say in this time, and some: a model that repeats itself is stopped there. */
const mostTokens = (audio) => Math.min(224, 16 + Math.ceil((12 * audio.length) / RATE_HZ));
