// How long the window is that a sound is heard in, as the server reckons it (domain/audio.py).

import { RATE_HZ, WINDOW } from "./pieces.js";

const STEP = RATE_HZ / 50; // samples of two frames: the encoder halves their number

/**
 * The length of a sound's window in samples. It ends `margin_s` seconds after the sound; a model that is to be used with
 * whole windows has no margin.
 */
export const windowSamples = (sound, margin_s) =>
  Math.min(WINDOW, STEP * Math.ceil((sound + Math.floor(RATE_HZ * (margin_s ?? 30))) / STEP));
