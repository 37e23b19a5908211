// Sound from the microphone or a file, as 16 kHz mono samples.

import { RATE_HZ } from "./pieces.js";

const MOST_BYTES = 500e6; // of a file: a browser decodes it whole, and needs many times that
const REFUSALS = {
  NotAllowedError: "The microphone is not allowed for this page. Allow it beside the address bar, then try again.",
  NotFoundError: "No microphone was found. Connect one, or choose a file.",
  NotReadableError: "Another program holds the microphone. Close it, then try again.",
};

/** Decode any sound the browser knows. Throws where it knows it not. */
export async function decoded(blob) {
  if (blob.size > MOST_BYTES) throw new Error("That file is too large for a browser. Cut it into parts of under 500 MB.");
  const context = new OfflineAudioContext(1, 1, RATE_HZ); // decoding resamples to its rate
  const sound = await context.decodeAudioData(await blob.arrayBuffer()).catch(() => {
    throw new Error("This browser cannot read that file as sound. Try wav, mp3, m4a or ogg.");
  });
  const mono = sound.getChannelData(0).slice();
  for (let channel = 1; channel < sound.numberOfChannels; channel++) {
    const other = sound.getChannelData(channel);
    for (let i = 0; i < mono.length; i++) mono[i] += (other[i] - mono[i]) / (channel + 1);
  }
  return mono;
}

/** A recording that runs. `onLevel` is told the loudness, 0 to 1, as it goes. */
export class Recording {
  static async start(onLevel) {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } }).catch((error) => {
      throw new Error(REFUSALS[error.name] ?? `The microphone cannot be used: ${error.message}`);
    });
    return new Recording(stream, onLevel);
  }

  constructor(stream, onLevel) {
    this.parts = [];
    this.stream = stream;
    this.recorder = new MediaRecorder(stream, { audioBitsPerSecond: 128_000 });
    this.recorder.ondataavailable = ({ data }) => this.parts.push(data);
    this.stopped = new Promise((resolve) => (this.recorder.onstop = resolve)); // also where the microphone is unplugged
    this.recorder.start();
    this.stopMeter = meter(stream, onLevel);
  }

  /** End it, and return what was recorded. */
  async stop() {
    this.end();
    await this.stopped;
    return new Blob(this.parts, { type: this.recorder.mimeType });
  }

  /** End it; the microphone is free then. */
  end() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    this.stopMeter();
    for (const track of this.stream.getTracks()) track.stop();
  }
}

function meter(stream, onLevel) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(Math.max(...samples.map(Math.abs)));
  }, 50);
  return () => {
    clearInterval(timer);
    context.close();
  };
}
