// Where the vendored runtime lies. Its WebAssembly is downloaded by the courier, since the recognizer may not.

export const WASM = new URL("vendor/ort-wasm-simd-threaded.wasm", import.meta.url).href;
export const WASM_SHA256 = "06ba057753da3847e4c24f02d91ab133455b0817c69a44993a9a53a2146df9e3";
export const WASM_LOADER = new URL("vendor/ort-wasm-simd-threaded.mjs", import.meta.url).href;
