package main

import "encoding/binary"

// wav puts 16-bit samples, 16 kHz, mono, into a WAV file.
func wav(samples []byte) []byte {
	little := binary.LittleEndian
	file := little.AppendUint32([]byte("RIFF"), uint32(36+len(samples)))
	file = append(file, "WAVEfmt "...)
	file = little.AppendUint32(file, 16)
	file = little.AppendUint16(file, 1)
	file = little.AppendUint16(file, 1)
	file = little.AppendUint32(file, 16_000)
	file = little.AppendUint32(file, 2*16_000)
	file = little.AppendUint16(file, 2)
	file = little.AppendUint16(file, 16)
	file = append(file, "data"...)
	file = little.AppendUint32(file, uint32(len(samples)))
	return append(file, samples...)
}
