//! `voiceflow stream`: who speaks, live.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use voiceflow::audio::{
    AudioSource, FileSource, Follow, SAMPLE_RATE, SIGNATURE_LEN, encoded_format, perhaps_encoded,
};
use voiceflow::{Call, Config, Diarizer, Error, Stream};

use crate::diarize_output::Format as ResultFormat;
use crate::exit::{Failure, Outcome};
use crate::gallery_args::GalleryArgs;
use crate::input;
use crate::model_args::ModelArgs;
use crate::result_file;
use crate::runtime_args::{RuntimeArgs, usage};
use crate::stream_output::{Format, LiveOutput};

const AFTER_HELP: &str = "\
Examples:
  voiceflow stream meeting.wav
  voiceflow stream --realtime --format ndjson meeting.mp3
  arecord -q -f S16_LE -r 16000 -c 1 -t raw | voiceflow stream --rate 16000 -
  ffmpeg -i rtsp://camera -f wav - | voiceflow stream -
  voiceflow stream --follow 5 growing.wav
  voiceflow stream --gallery live.json --result meeting.rttm meeting.flac

Standard input and pipes hold encoded audio (WAV, FLAC, MP3, Ogg, …), which says itself what it is, or raw samples, \
for which --rate is given. MP4 is read to its end before it begins.

Turns are printed when they are final; on a terminal, the last line shows who speaks now. With --format ndjson, one \
object a line: {\"type\":\"segment\",\"start\":..,\"end\":..,\"speaker\":..,\"confidence\":..,\"overlap\":..,\
\"final\":..}, with \"name\" and \"score\" where the gallery knows the speaker; those that are not final in place of all such ones \
before; {\"type\":\"silence\",..} where there are none any more; and at last {\"type\":\"end_stream\",..} with who each \
speaker is in the answer for the whole, which is clustered anew.";

/// Time in seconds of one push.
const CHUNK_S: f64 = 0.1;

/// Arguments of `stream`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct StreamArgs {
    /// Audio file or pipe; - for standard input, encoded or raw samples
    #[arg(value_name = "FILE")]
    source: PathBuf,
    /// Form of what is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Longest time until the segments of a moment are final, 0.5 to 5
    #[arg(long, value_name = "SECONDS", default_value_t = Config::default().latency_s())]
    latency: f64,
    /// Feed a file at the speed at which it was recorded
    #[arg(long)]
    realtime: bool,
    /// Wait for more at the end of a file, until it has not grown for so long
    #[arg(long, value_name = "SECONDS")]
    follow: Option<f64>,
    /// Raw samples on standard input or from a pipe, of this sample rate in hertz, 1000 to 768000
    #[arg(long, value_name = "HZ")]
    rate: Option<u32>,
    /// Channels of raw samples, 1 to 32; their mean is used [default: 1]
    #[arg(long, value_name = "N")]
    channels: Option<u16>,
    /// How raw samples are written [default: s16le]
    #[arg(long, value_enum)]
    encoding: Option<Encoding>,
    /// Most speakers, 1 to 100 [default: 100]
    #[arg(long, value_name = "N")]
    max_speakers: Option<usize>,
    /// Drop turns shorter than this [default: the bundle's, else 0]
    #[arg(long, value_name = "SECONDS")]
    min_speech: Option<f64>,
    /// Fill pauses of one speaker shorter than this; turns are final as much later [default: 0]
    #[arg(long, value_name = "SECONDS")]
    min_silence: Option<f64>,
    /// Write the answer for the whole into this file: .rttm, .json, .srt or .vtt, anything else as
    /// a table
    #[arg(long, value_name = "FILE")]
    result: Option<PathBuf>,
    /// Add the speakers' voice embeddings to a result in JSON; they are biometric data
    #[arg(long, requires = "result")]
    embeddings: bool,
    // Last, as their headings hold for every argument behind them.
    #[command(flatten)]
    gallery: GalleryArgs,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Encodings of raw samples.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Encoding {
    /// 16-bit integers, little-endian
    S16le,
    /// 32-bit floats, little-endian, full scale ±1
    F32le,
}

impl StreamArgs {
    fn config(&self) -> Result<Config, Failure> {
        let mut config = self.runtime.config()?;
        self.models.apply_live(&mut config)?;
        config.set_latency(self.latency).map_err(usage)?;
        if let Some(most) = self.max_speakers {
            config.set_speaker_range(0, most).map_err(usage)?;
        }
        if let Some(shortest) = self.min_speech {
            config.set_min_speech(shortest).map_err(usage)?;
        }
        if let Some(shortest) = self.min_silence {
            config.set_min_silence(shortest).map_err(usage)?;
        }
        Ok(config)
    }

    /// Whether the audio comes through standard input or a pipe.
    fn piped(&self) -> bool {
        input::is_stdin(&self.source) || input::is_pipe(&self.source)
    }

    /// How long a growing file is waited for.
    fn idle(&self) -> Result<Option<Duration>, Failure> {
        let Some(seconds) = self.follow else { return Ok(None) };
        match Duration::try_from_secs_f64(seconds) {
            Ok(idle) if !idle.is_zero() => Ok(Some(idle)),
            _ => Err(Failure::Usage(format!("--follow: expected more than 0 seconds, got {seconds}"))),
        }
    }

    /// Refuses what makes no sense together, and a result that could not be written at the end.
    fn check(&self) -> Outcome {
        let formats = [("--channels", self.channels.is_some()), ("--encoding", self.encoding.is_some())];
        if self.rate.is_some() && !self.piped() {
            let text = "--rate: expected - or a pipe with it; a file says itself what it holds";
            return Err(Failure::Usage(text.to_owned()));
        }
        if let Some((name, _)) = formats.iter().find(|(_, given)| *given && self.rate.is_none()) {
            let text = format!("{name}: expected --rate with it; encoded audio says itself what it holds");
            return Err(Failure::Usage(text));
        }
        for (name, given) in [("--realtime", self.realtime), ("--follow", self.follow.is_some())] {
            if given && self.piped() {
                let text = format!("{name}: expected a file; what a pipe holds comes when it comes");
                return Err(Failure::Usage(text));
            }
        }
        self.idle()?;
        input::check(std::slice::from_ref(&self.source))?;
        if self.embeddings && !self.result.as_deref().is_some_and(|path| result_format(path).is_json()) {
            let text = "--embeddings: expected --result with a file that ends in .json or .jsonl";
            return Err(Failure::Usage(text.to_owned()));
        }
        let folder = self.result.as_ref().and_then(|path| path.parent());
        match folder.filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            Some(folder) => Err(Failure::Failed(format!("{}: no such folder", folder.display()))),
            None => Ok(()),
        }
    }
}

/// Runs the command.
pub fn run(args: &StreamArgs) -> Outcome {
    let config = args.config()?;
    args.gallery.check()?;
    args.check()?;
    let diarizer = Diarizer::new(&config)?;
    let voices = args.gallery.load(diarizer.model())?;
    let mut output = LiveOutput::new(args.format, input::recording(&args.source), voices);
    let (rate, channels) = (args.rate.unwrap_or(SAMPLE_RATE), args.channels.unwrap_or(1));
    let stream = Stream::new(&diarizer, &config, rate, channels).map_err(usage)?;
    if args.piped() {
        push_piped(args, &stream, &mut output)?;
    } else {
        let source = match args.idle()? {
            Some(idle) => FileSource::live(&args.source, Follow::open(&args.source, idle)?, &Call::none())?,
            None => FileSource::open(&args.source)?,
        };
        push_encoded(args, source, &stream, &mut output)?;
    }
    let finished = stream.finish(&Call::none())?;
    output.print_updates(&stream)?;
    let mut diarization = finished.diarization;
    output.end(&stream, &mut diarization, &finished.final_speakers)?;
    if let Some(path) = &args.result {
        let text =
            result_format(path).render(&diarization, &input::recording(&args.source), args.embeddings)?;
        result_file::write(path, &text)?;
    }
    Ok(())
}

/// The form of a result, by the name of its file.
fn result_format(path: &Path) -> ResultFormat {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("rttm") => ResultFormat::Rttm,
        Some("json") => ResultFormat::Json,
        Some("jsonl") => ResultFormat::Jsonl,
        Some("srt") => ResultFormat::Srt,
        Some("vtt") => ResultFormat::Vtt,
        _ => ResultFormat::Table,
    }
}

/// Pushes what comes through standard input or a pipe: encoded audio, or raw samples if a rate is
/// given.
fn push_piped(args: &StreamArgs, stream: &Stream, output: &mut LiveOutput) -> Outcome {
    let stdin = input::is_stdin(&args.source);
    let name = if stdin { Path::new(input::STDIN_NAME) } else { &args.source };
    let failed = |error: std::io::Error| Failure::from(Error::from_io(name, error));
    let mut file = if stdin { input::standard_input()? } else { File::open(name).map_err(failed)? };
    let mut head = Vec::new();
    (&mut file).take(SIGNATURE_LEN as u64).read_to_end(&mut head).map_err(failed)?;
    let (certain, perhaps) = (encoded_format(&head), perhaps_encoded(&head));
    let begun = Cursor::new(head).chain(file);
    match (args.rate, certain, perhaps) {
        (Some(_), Some(format), _) => Err(Failure::Failed(format!(
            "{}: expected raw samples, as --rate says, got encoded audio ({format})",
            name.display()
        ))),
        (Some(_), None, _) => push_raw(args, name, begun, stream, output),
        (None, _, Some(_)) => {
            push_encoded(args, FileSource::live(name, begun, &Call::none())?, stream, output)
        }
        (None, _, None) => Err(Failure::Failed(format!(
            "{}: expected encoded audio (WAV, FLAC, MP3, Ogg, …), got data that begins as none does; raw samples \
             need --rate",
            name.display()
        ))),
    }
}

/// Pushes encoded audio, at the speed of its recording if that is wanted.
fn push_encoded(
    args: &StreamArgs,
    mut source: FileSource<'_>,
    stream: &Stream,
    output: &mut LiveOutput,
) -> Outcome {
    let chunk = (CHUNK_S * f64::from(SAMPLE_RATE)) as usize;
    let begun = Instant::now();
    let (mut samples, mut pushed, mut more) = (Vec::new(), 0, true);
    while more {
        samples.clear();
        more = source.read(&mut samples)? > 0;
        for part in samples.chunks(chunk) {
            pushed += part.len();
            if args.realtime {
                let due = Duration::from_secs_f64(pushed as f64 / f64::from(SAMPLE_RATE));
                std::thread::sleep(due.saturating_sub(begun.elapsed()));
            }
            stream.push_f32(part, &Call::none())?;
            output.print_updates(stream)?;
        }
    }
    Ok(())
}

/// Pushes raw samples as they come.
fn push_raw(
    args: &StreamArgs,
    name: &Path,
    mut reader: impl Read,
    stream: &Stream,
    output: &mut LiveOutput,
) -> Outcome {
    let (rate, channels) = stream.format();
    let encoding = args.encoding.unwrap_or(Encoding::S16le);
    let width = match encoding {
        Encoding::S16le => size_of::<i16>(),
        Encoding::F32le => size_of::<f32>(),
    };
    let frame = width * usize::from(channels);
    let mut buffer = vec![0; frame * (CHUNK_S * f64::from(rate)).ceil() as usize];
    let mut filled = 0;
    loop {
        let count = match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::from_io(name, error).into()),
        };
        filled += count;
        let complete = filled - filled % frame;
        push_bytes(encoding, stream, &buffer[..complete])?;
        buffer.copy_within(complete..filled, 0);
        filled -= complete;
        output.print_updates(stream)?;
    }
    if filled > 0 {
        crate::exit::warn(&format!("{}: ends within a sample; {filled} bytes are left out", name.display()));
    }
    Ok(())
}

/// Pushes the samples that these bytes are.
fn push_bytes(encoding: Encoding, stream: &Stream, bytes: &[u8]) -> voiceflow::Result<()> {
    match encoding {
        Encoding::S16le => {
            let (samples, _) = bytes.as_chunks();
            let samples: Vec<i16> = samples.iter().map(|sample| i16::from_le_bytes(*sample)).collect();
            stream.push_i16(&samples, &Call::none())
        }
        Encoding::F32le => {
            let (samples, _) = bytes.as_chunks();
            let samples: Vec<f32> = samples.iter().map(|sample| f32::from_le_bytes(*sample)).collect();
            stream.push_f32(&samples, &Call::none())
        }
    }
}
