// Cuts long audio at its quietest points into pieces that fit one Whisper window, as the server does (speech/segment.py).

export const RATE_HZ = 16000;
export const WINDOW = 30 * RATE_HZ; // samples
const LONGEST = 28 * RATE_HZ;
const SHORTEST = 14 * RATE_HZ; // but for the last two, which share what is left
const SHORTEST_LAST = RATE_HZ;
const HOP = RATE_HZ / 50;
const PAUSE_HOPS = 10; // a pause is the quietest 200 ms

/** Consecutive pieces {audio, end} of an array of samples. What fits a window stays whole. */
export function* pieces(audio) {
  let start = 0;
  for (let left = audio.length; left > (start ? LONGEST : WINDOW); left = audio.length - start) {
    const [low, high] =
      left > 2 * LONGEST
        ? [SHORTEST, LONGEST]
        : [Math.max(SHORTEST_LAST, left - LONGEST), Math.min(LONGEST, left - SHORTEST_LAST)];
    const end = quietest(audio, start + low, start + high);
    yield { audio: audio.subarray(start, end), end };
    start = end;
  }
  yield { audio: audio.subarray(start), end: audio.length };
}

/** The middle of the quietest 200 ms between two positions. */
function quietest(audio, low, high) {
  const count = Math.floor((high - low) / HOP);
  if (count <= PAUSE_HOPS) return Math.floor((low + high) / 2);
  const total = new Float64Array(count + 1);
  for (let hop = 0; hop < count; hop++) {
    let energy = 0;
    for (let i = low + hop * HOP; i < low + (hop + 1) * HOP; i++) energy += audio[i] ** 2;
    total[hop + 1] = total[hop] + energy;
  }
  let [best, least] = [0, Infinity];
  for (let hop = 0; hop + PAUSE_HOPS <= count; hop++) {
    const pause = total[hop + PAUSE_HOPS] - total[hop];
    if (pause < least) [best, least] = [hop, pause];
  }
  return low + (best + PAUSE_HOPS / 2) * HOP;
}
