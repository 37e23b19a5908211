// What this browser keeps: every file under its SHA-256, and an entry for each model that names its files.

const CACHE = "adaptwin-kept-1";
const ENTRIES = "/listen/kept/entries/";

/** The address a file is kept under. It is never asked of the server. */
export const addressOf = (sha256) => `/listen/kept/files/${sha256}`;

/** The key of a model's entry: each form of it has its own. */
export const keyOf = (model, form) => `${model}/${form}`;

/** The entries of all models on this device: {key, title, note, form, bytes, language, files: {name: {sha256, bytes}}}. */
export async function entries() {
  const cache = await caches.open(CACHE);
  const found = (await cache.keys()).filter((request) => new URL(request.url).pathname.startsWith(ENTRIES));
  return Promise.all(found.map(async (request) => (await cache.match(request)).json()));
}

export async function keepEntry(entry) {
  const cache = await caches.open(CACHE);
  await cache.put(ENTRIES + entry.key, Response.json(entry));
}

export async function keepFile(address, blob) {
  const cache = await caches.open(CACHE);
  await cache.put(address, new Response(blob, { headers: { "Content-Length": String(blob.size) } }));
}

/** A kept file as a Response, or undefined. */
export async function keptFile(address) {
  return (await caches.open(CACHE)).match(address);
}

/** Forget a model, and every file that no other model on this device has too. */
export async function forget(key) {
  const cache = await caches.open(CACHE);
  await cache.delete(ENTRIES + key);
  const wanted = new Set((await entries()).flatMap((entry) => Object.values(entry.files).map((file) => file.sha256)));
  for (const request of await cache.keys()) {
    const sha256 = new URL(request.url).pathname.split("/listen/kept/files/")[1];
    if (sha256 && !wanted.has(sha256)) await cache.delete(request);
  }
}
