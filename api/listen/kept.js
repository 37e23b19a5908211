// What this browser keeps: every file under its SHA-256, and an entry for each model that names its files.

import { WASM_SHA256 } from "./runtime.js";

const CACHE = "adaptwin-kept-1";
const ENTRIES = "/listen/kept/entries/";
const FILES = "/listen/kept/files/"; // addresses that are never asked of the server

/** The key of a model's entry: each form of it has its own. */
export const keyOf = (model, form) => `${model}/${form}`;

/** Do something to what is kept while no other tab does. */
export const alone = (act) => navigator.locks.request("adaptwin kept", act);

/**
 * The entries of the models of which every file is on this device:
 * {id, key, title, note, form, bytes, language, files: {name: {sha256, bytes}}}.
 */
export async function entries() {
  const cache = await caches.open(CACHE);
  const found = (await cache.keys()).filter((request) => pathOf(request).startsWith(ENTRIES));
  const read = await Promise.all(found.map(async (request) => (await cache.match(request)).json()));
  const isWhole = async ({ files }) => (await Promise.all(Object.values(files).map(({ sha256 }) => keptFile(sha256)))).every(Boolean);
  const whole = await Promise.all(read.map(isWhole));
  return read.filter((_, index) => whole[index]);
}

export async function keepEntry(entry) {
  await (await caches.open(CACHE)).put(ENTRIES + entry.key, Response.json(entry));
}

/** Keep a file. Throws if its bytes are not those that were meant. */
export async function keepFile(name, sha256, blob) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== sha256) throw new Error(`${name} arrived damaged: try again.`);
  await (await caches.open(CACHE)).put(FILES + sha256, new Response(blob));
}

/** A kept file as a Response, or undefined. */
export async function keptFile(sha256) {
  return (await caches.open(CACHE)).match(FILES + sha256);
}

/** Forget a model, and every file that neither another model on this device nor the runtime needs. */
export async function forget(key) {
  const cache = await caches.open(CACHE);
  await cache.delete(ENTRIES + key);
  const needed = (await entries()).flatMap((entry) => Object.values(entry.files).map((file) => file.sha256));
  const wanted = new Set([...needed, WASM_SHA256].map((sha256) => FILES + sha256));
  for (const request of await cache.keys()) {
    if (pathOf(request).startsWith(FILES) && !wanted.has(pathOf(request))) await cache.delete(request);
  }
}

const pathOf = (request) => new URL(request.url).pathname;
