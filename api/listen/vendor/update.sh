#!/bin/sh
# Fetch the vendored files anew from npm, at these versions.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
mkdir transformers onnxruntime
tar -xzf "$(npm pack --silent @huggingface/transformers@4.3.1)" -C transformers
tar -xzf "$(npm pack --silent onnxruntime-web@1.31.0-dev.20260914-8d85527a0)" -C onnxruntime
cd onnxruntime/package/dist
cp ort.wasm.min.mjs ort-wasm-simd-threaded.mjs ort-wasm-simd-threaded.wasm "$here"
cd "$work/transformers/package"
sed -E 's#from"onnxruntime-(common|web/webgpu)"#from"./ort.wasm.min.mjs"#g' dist/transformers.web.min.js > "$here/transformers.web.min.js"
cp LICENSE "$here/LICENSE-transformers-js"
cd "$here"
sha256sum LICENSE-* *.js *.mjs *.wasm > SHA256SUMS
gzip -9nf *.wasm
