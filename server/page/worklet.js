// Hands the samples of the microphone on, in pieces of a tenth of a second.

const PIECE_S = 0.1;

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Int16Array(Math.round(PIECE_S * sampleRate));
    this.filled = 0;
  }

  process([input]) {
    const [channel] = input;
    // Without a microphone there is nothing yet.
    for (const sample of channel ?? []) {
      this.piece[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      if (this.filled === this.piece.length) {
        this.port.postMessage(this.piece.slice());
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
