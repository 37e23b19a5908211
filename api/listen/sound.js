// Sound from the microphone or a file, as 16 kHz mono samples.

import { RATE_HZ } from "./pieces.js";

/** Decode any sound the browser knows. Throws where it knows it not. */
export async function decoded(blob) {
  const context = new OfflineAudioContext(1, 1, RATE_HZ); // decoding resamples to its rate
  const sound = await context.decodeAudioData(await blob.arrayBuffer()).catch(() => {
    throw new Error("This browser cannot read that file as sound. Try wav, mp3, m4a or ogg.");
  });
  const mono = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    sound.getChannelData(channel).forEach((sample, i) => (mono[i] += sample / sound.numberOfChannels));
  }
  return mono;
}

/** Start recording; `onLevel` is told the loudness, 0 to 1, as it goes. Returns stop(), which gives the recording. */
export async function recording(onLevel) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } }).catch((error) => {
    throw new Error(
      error.name === "NotAllowedError"
        ? "The microphone is not allowed for this page. Allow it beside the address bar, then try again."
        : "No microphone was found. Connect one, or choose a file.",
    );
  });
  const recorder = new MediaRecorder(stream, { audioBitsPerSecond: 128_000 });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  const stopMeter = meter(stream, onLevel);
  return async () => {
    await new Promise((resolve) => {
      recorder.onstop = resolve;
      recorder.stop();
    });
    stopMeter();
    for (const track of stream.getTracks()) track.stop();
    return new Blob(parts, { type: recorder.mimeType });
  };
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
