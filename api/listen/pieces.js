// Cuts long audio at its quietest points into pieces that fit one Whisper window, as the server does (speech/segment.py).

export const RATE_HZ = 16000;
const WINDOW = 30 * RATE_HZ; // samples
const LONGEST = 28 * RATE_HZ;
const SHORTEST = 14 * RATE_HZ;
const HOP = RATE_HZ / 50;
const PAUSE_HOPS = 10; // a pause is the quietest 200 ms

/** Consecutive pieces {audio, end} of a Float32Array of samples. What fits a window stays whole. */
export function* pieces(audio) {
  let start = 0;
  while (audio.length - start > WINDOW) {
    const end = quietest(audio, start + SHORTEST, start + LONGEST);
    yield { audio: audio.subarray(start, end), end };
    start = end;
  }
  yield { audio: audio.subarray(start), end: audio.length };
}

/** The middle of the quietest 200 ms between two positions. */
function quietest(audio, low, high) {
  const energies = [];
  for (let at = low; at + HOP <= high; at += HOP) {
    let sum = 0;
    for (let i = at; i < at + HOP; i++) sum += audio[i] ** 2;
    energies.push(sum);
  }
  let [best, least] = [0, Infinity];
  for (let hop = 0; hop + PAUSE_HOPS <= energies.length; hop++) {
    const pause = energies.slice(hop, hop + PAUSE_HOPS).reduce((a, b) => a + b);
    if (pause < least) [best, least] = [hop, pause];
  }
  return low + (best + PAUSE_HOPS / 2) * HOP;
}
