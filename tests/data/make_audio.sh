#!/bin/sh
# Makes the audio fixtures in tests/data/audio: the same 1.5 s of synthetic speech in each codec,
# container, rate and channel count that the decoder tests read. The outputs are committed; run this
# again only to add one. Needs espeak-ng and ffmpeg.
set -eu
cd "$(dirname "$0")"
rm -rf audio
mkdir audio
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ff() { ffmpeg -nostdin -hide_banner -loglevel error -y -bitexact "$@"; }

# The original: 1.5 s at 48 kHz in full precision, with some room to the full scale. Large formats
# get its first 0.2 to 0.4 s.
espeak-ng -v en-us -s 170 -w "$work/speech.wav" "Who spoke when? Two people talked at the same time."
ff -i "$work/speech.wav" -af "aresample=48000:resampler=soxr,adelay=120,apad,atrim=0:1.5,volume=0.7" \
    -ac 1 -c:a pcm_f32le "$work/original.wav"
original() { ff -i "$work/original.wav" "$@"; }

original -ar 16000 -c:a pcm_s16le audio/original.wav # what every other file is compared with

# WAV: sample formats, rates, channels
original -ar 8000 -c:a pcm_u8 audio/u8_8k.wav
original -ar 16000 -t 0.2 -c:a pcm_s24le audio/s24_16k.wav
original -ar 8000 -t 0.4 -c:a pcm_s32le audio/s32_8k.wav
original -ar 11025 -ac 2 -t 0.4 -c:a pcm_s16le audio/s16_11k_stereo.wav
original -ar 8000 -t 0.4 -c:a pcm_f32le audio/f32_8k.wav
original -ar 8000 -t 0.2 -c:a pcm_f64le audio/f64_8k.wav
original -ar 8000 -c:a pcm_mulaw audio/mulaw_8k.wav
original -ar 8000 -c:a pcm_alaw audio/alaw_8k.wav
original -ar 8000 -c:a adpcm_ima_wav audio/adpcm_ima_8k.wav
# A header that does not know its length, as a pipe gives it.
original -ar 8000 -c:a pcm_u8 -f wav - >audio/pipe_8k.wav

# FLAC
ff -i audio/original.wav -c:a flac audio/16k.flac
original -ar 22050 -ac 2 -t 0.4 -c:a flac audio/22k_stereo.flac
original -ar 16000 -t 0.2 -af "pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0" -c:a flac audio/16k_6ch.flac

# MP3: with and without the LAME tag, MPEG-1 and MPEG-2, an ID3v2 tag in front
original -ar 44100 -ac 2 -c:a libmp3lame -b:a 48k audio/44k_stereo.mp3
original -ar 16000 -c:a libmp3lame -b:a 24k -metadata title="Who spoke when" -id3v2_version 3 audio/16k_id3.mp3
original -ar 24000 -c:a libmp3lame -q:a 5 -write_xing 0 audio/24k_no_tag.mp3

# Ogg
original -ar 44100 -c:a libvorbis -q:a 1 -page_duration 100000 audio/44k.ogg
original -ar 16000 -ac 2 -c:a libvorbis -q:a 1 audio/16k_stereo.ogg
cat audio/44k.ogg audio/16k_stereo.ogg >audio/chained.ogg
original -ar 48000 -c:a libopus -b:a 16k audio/opus.ogg

# AAC
original -ar 44100 -c:a aac -b:a 48k audio/44k.m4a
original -ar 16000 -ac 2 -c:a aac -b:a 32k -movflags +faststart audio/16k_stereo_faststart.m4a
original -ar 48000 -c:a aac -b:a 48k -movflags +frag_keyframe+delay_moov audio/48k_fragmented.m4a
original -ar 48000 -c:a aac -b:a 48k -f adts audio/48k.aac
original -ar 16000 -t 0.2 -c:a alac audio/alac.m4a

# What cannot be decoded
ff -f lavfi -i "testsrc=size=32x32:rate=5:duration=0.4" -c:v mpeg4 -an audio/video_only.mp4
ff -f lavfi -i "testsrc=size=16x16:rate=1:duration=1" -frames:v 1 audio/picture.png
perl -0777 -pe 's/(stsd.{12})mp4a/$1drms/s' audio/44k.m4a >audio/drms.m4a
perl -0777 -pe 's/(stsd.{12})mp4a/$1enca/s' audio/44k.m4a >audio/enca.m4a
