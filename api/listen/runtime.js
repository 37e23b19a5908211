// Where the vendored runtime lies. Its WebAssembly is downloaded by the courier, since the recognizer may not.

export const WASM = new URL("vendor/ort-wasm-simd-threaded.wasm", import.meta.url).href;
export const WASM_LOADER = new URL("vendor/ort-wasm-simd-threaded.mjs", import.meta.url).href;
