// The recognizer: onnxruntime's WebAssembly, driven by transformers.js, in a worker that may open no connection.

import { env, pipeline, TextStreamer } from "./vendor/transformers.web.min.js";
import { tryToConnect } from "./connection.js";
import { windowSamples } from "./fitted_window.js";
import { keptFile } from "./kept.js";
import { pieces, RATE_HZ } from "./pieces.js";
import { WASM_LOADER, WASM_SHA256 } from "./runtime.js";

const MODEL = "kept"; // transformers.js wants a name

let transcriber, entry;

onmessage = async ({ data }) => {
  try {
    if (data.do === "open") await open(data.entry);
    if (data.do === "hear") await hear(data.audio);
  } catch (error) {
    postMessage({ kind: "trouble", message: String(error?.message ?? error) });
  }
};

async function open(wanted) {
  const began = performance.now();
  entry = wanted;
  const { wasm } = env.backends.onnx;
  wasm.wasmBinary = await (await keptFile(WASM_SHA256)).arrayBuffer();
  wasm.wasmPaths = { mjs: WASM_LOADER };
  Object.assign(env, { allowLocalModels: true, allowRemoteModels: false, useBrowserCache: false, useWasmCache: false });
  env.fetch = fromKept;
  const dtype = entry.form === "onnx-int8" ? "q8" : "fp32";
  transcriber = await pipeline("automatic-speech-recognition", MODEL, { dtype, device: "wasm" });
  const seconds = (performance.now() - began) / 1000;
  postMessage({ kind: "opened", seconds, connection: await tryToConnect() });
}

/** What transformers.js would fetch, from what this device keeps. */
async function fromKept(path) {
  const file = entry.files[String(path).split(`/${MODEL}/`)[1]];
  return (file && (await keptFile(file.sha256))) ?? new Response(null, { status: 404 });
}

async function hear(audio) {
  const began = performance.now();
  const { processor, model, tokenizer } = transcriber;
  const isMultilingual = model.generation_config.is_multilingual;
  const language = isMultilingual ? { language: entry.language, task: "transcribe" } : {};
  for (const piece of pieces(audio)) {
    let partial = "";
    const streamer = new TextStreamer(tokenizer, {
      skip_prompt: true,
      skip_special_tokens: true,
      callback_function: (words) => postMessage({ kind: "partial", text: (partial += words) }),
    });
    // The pipeline would hear every piece in a whole window.
    const max_length = windowSamples(piece.audio.length, model.config.adaptwin_margin_s);
    const { input_features: inputs } = await processor.feature_extractor(piece.audio, { max_length });
    const tokens = await model.generate({ inputs, ...language, streamer, max_new_tokens: mostTokens(piece.audio) });
    const [text] = tokenizer.batch_decode(tokens, { skip_special_tokens: true });
    const seconds = { audio: piece.end / RATE_HZ, compute: (performance.now() - began) / 1000 };
    postMessage({ kind: "piece", text: text.trim(), share: piece.end / audio.length, seconds });
  }
  postMessage({ kind: "heard" });
}

/** As many tokens as the server allows (ml/decode.py): a model that repeats itself is stopped there. */
const mostTokens = (audio) => Math.min(440, Math.floor(16 + (12 * audio.length) / RATE_HZ));
