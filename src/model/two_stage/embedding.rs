//! The second stage: a speaker embedding network, which gives the voice of each crop of a stretch
//! of audio. Features are computed once for the stretch. Where the network could be split, so are
//! the features of its frames; the pooling part then runs on those of each crop, or of each piece
//! of speech that crops share. Where it could not, the whole network runs on their features.

use ndarray::{Array1, Array2, ArrayD, Ix2, IxDyn, s};

use super::frames::Frames;
use super::layout::Layout;
use super::metadata;
use super::pieces::{self, CropRows, Pieces};
use super::speech::Crop;
use crate::call::Call;
use crate::config::{Config, ModelSource, Provider};
use crate::error::{Error, Result, Stage};
use crate::features::{FeatureExtractor, STEP_SAMPLES};
use crate::memory;
use crate::model::contract::SAMPLE_RATE;
use crate::model::import::{self, EmbeddingFile, EmbeddingNetwork, FrameAxis, Split};
use crate::model::source::ModelFile;
use crate::model::tuning::Stated;
use crate::noise::Noise;
use crate::onnx;
use crate::onnx::Description;
use crate::onnx::ModelBytes;
use crate::onnx::{Network, Outputs, floats, integers};

/// Frames of the features, 10 ms apart, in the shortest crop that has a voice. Who says less alone
/// is given a speaker by what the others of the window are.
const LEAST_FRAMES: usize = 20;
/// Frames in the input by which the network is tried when it is loaded.
const TRIAL_FRAMES: usize = 200;

/// A loaded embedding network.
#[derive(Debug)]
pub(super) struct Embedding {
    layout: Layout,
    extractor: FeatureExtractor,
    /// The part that makes frames, and where they lie; `None` where the network runs as a whole.
    frames: Option<(Network, FrameAxis)>,
    /// The part that pools frames, or the whole network.
    pooling: Network,
    /// Numbers in a voice.
    pub(super) dim: usize,
    /// What the file says of its tuning.
    pub(super) stated: Stated,
    /// The voice space that the file names; empty where it names none.
    pub(super) voice_space: String,
    /// SHA-256 of the file.
    pub(super) sha256: String,
}

impl Embedding {
    /// Loads the network of `file`, split where that is possible, and runs it once.
    ///
    /// # Errors
    /// Those of [`Network::open`] and [`Layout::of`]; [`Error::Model`] when its output is no
    /// embedding.
    pub(super) fn open(file: EmbeddingFile, config: &Config, call: &Call<'_>) -> Result<Self> {
        let EmbeddingFile { label, sha256, network } = file;
        let described = |model: &ModelBytes| open_described(model, &label, config, call);
        let later = onnx::settled(config);
        let parts = |split: &Split| {
            let pooling = || open_described(&split.pooling, &label, &later, call);
            Ok::<_, Error>((described(&split.frames)?, pooling()?))
        };
        let (described, layout, frames, pooling) = match network {
            EmbeddingNetwork::Split(split) => {
                let ((frames, first), (pooling, last)) = parts(&split)?;
                let whole = first.with_outputs(last);
                let layout = Layout::of(&whole, config)?;
                (whole, layout, Some((frames, split.axis)), pooling)
            }
            EmbeddingNetwork::Whole(model, because) => {
                let (network, whole) = described(&model)?;
                let layout = Layout::of(&whole, config)?;
                let found = match because {
                    Some(reason) => Err(reason),
                    None => find_split(&model, &layout, config, call)?,
                };
                match found {
                    Ok(split) => {
                        // The weights are in memory twice at most.
                        drop((network, model));
                        let ((frames, _), (pooling, _)) = parts(&split)?;
                        (whole, layout, Some((frames, split.axis)), pooling)
                    }
                    Err(reason) => {
                        log::debug!("{label}: the network runs as a whole: {reason}");
                        (whole, layout, None, network)
                    }
                }
            }
        };
        let extractor = FeatureExtractor::new(&layout.features, layout.bins);
        let (stated, voice_space) = (metadata::stated(&described)?, metadata::voice_space(&described)?);
        let mut embedding =
            Embedding { layout, extractor, frames, pooling, dim: 0, stated, voice_space, sha256 };
        embedding.dim = embedding.trial(call).map_err(|error| described.failing(error))?;
        match described.number::<usize>("output_dim")? {
            Some(dim) if dim != embedding.dim => Err(described.broken(&format!(
                "metadata `output_dim`: expected what the network gives, {}, found {dim}",
                embedding.dim
            ))),
            _ => Ok(embedding),
        }
    }

    /// The provider that runs the network.
    pub(super) fn provider(&self) -> Provider {
        self.pooling.provider()
    }

    /// Run slots that the pooling part, or the whole network, has made.
    pub(super) fn slots(&self) -> usize {
        self.pooling.slots()
    }

    /// Makes run slots, see [`Network::warm`].
    pub(super) fn warm(&self, slots: usize, call: &Call<'_>) -> Result<()> {
        if let Some((frames, _)) = &self.frames {
            frames.warm(slots, call)?;
        }
        self.pooling.warm(slots, call)
    }

    /// What the network is used with: name and value.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let frames = match &self.frames {
            Some((_, axis)) => format!("computed once for all windows, {} ms apart", axis.stride * 10),
            None => "computed for each window and speaker".to_owned(),
        };
        vec![
            ("family", self.layout.family.name().to_owned()),
            ("features", format!("{} mel bins, {}", self.layout.bins, self.layout.frontend.name())),
            ("frames", frames),
            ("voice", format!("{} numbers", self.dim)),
            ("tuning", self.stated.to_string()),
            ("runs on", self.provider().name().to_owned()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }

    /// Size of the voice that the network gives for a sound like speech.
    fn trial(&self, call: &Call<'_>) -> Result<usize> {
        let samples = TRIAL_FRAMES * STEP_SAMPLES;
        let mut noise = Noise::new(1);
        let syllable = |index: usize| if (index / 3200).is_multiple_of(2) { 0.2 } else { 0.02 };
        let noise = memory::collected("audio", (0..samples).map(|index| noise.number() * syllable(index)))?;
        let whole = Crop { spans: std::iter::once(0..samples).collect(), window: 0..samples };
        let voices = self.voices(&noise, &[whole], None, 1, call)?;
        match voices.into_iter().flatten().next() {
            Some(voice) => Ok(voice.len()),
            None => Err(Error::Model(format!(
                "{}: expected an embedding of finite numbers, the network gave others or zeros for noise",
                self.pooling.name()
            ))),
        }
    }

    /// The voice of each crop of `audio`, as the network scales it; `None` for one that is too
    /// short, or for which the network gives numbers that are not finite. Where `piece_s` is given,
    /// crops are cut into pieces of so many seconds at most, and share those that are alike. At
    /// most `batch` of them are run at once.
    pub(super) fn voices(
        &self,
        audio: &[f32],
        crops: &[Crop],
        piece_s: Option<f64>,
        batch: usize,
        call: &Call<'_>,
    ) -> Result<Vec<Option<Array1<f32>>>> {
        let mut features = self.extractor.compute(audio)?;
        let middle = |frame: f64| self.extractor.frame_centre(0) + frame * STEP_SAMPLES as f64;
        let chosen = crops.iter().map(|crop| crop.select(features.nrows(), |frame| middle(frame as f64)));
        let heard: Vec<(usize, Vec<usize>)> =
            chosen.enumerate().filter(|(_, frames)| frames.len() >= LEAST_FRAMES).collect();
        let frames = match &self.frames {
            Some((network, axis)) => Some(self.frames(network, *axis, &mut features, &heard, call)?),
            None => None,
        };
        let (stride, offset) = self.frames.as_ref().map_or((1, 0.0), |(_, axis)| (axis.stride, axis.offset));
        let count = frames.as_ref().map_or(features.nrows(), Frames::count);
        let position = |row: usize| middle(offset + (row * stride) as f64);
        let of_crop = |(crop, taken): (usize, Vec<usize>)| CropRows {
            crop,
            rows: if frames.is_some() { crops[crop].select(count, position) } else { taken },
            window: crops[crop].window_in(count, position),
        };
        let rows = heard.into_iter().map(of_crop).collect::<Vec<CropRows>>();
        let Pieces { rows, parts } = match piece_s {
            Some(piece_s) => {
                let longest = piece_s * SAMPLE_RATE as f64 / (STEP_SAMPLES * stride) as f64;
                Pieces::shared(&rows, longest.round() as usize, LEAST_FRAMES / stride)?
            }
            None => Pieces::whole(rows)?,
        };
        let input = |rows: &[usize]| match &frames {
            Some(frames) => frames.gather(rows),
            None => self.cut(&features, rows),
        };
        let found = self.embed(rows, input, batch, call)?;
        pieces::means(&parts, &found, crops.len())
    }

    /// The embedding of each piece, the input of which is made of its rows by `input`; `None` where
    /// it is no voice.
    fn embed(
        &self,
        pieces: Vec<Vec<usize>>,
        input: impl Fn(&[usize]) -> Result<ArrayD<f32>>,
        batch: usize,
        call: &Call<'_>,
    ) -> Result<Vec<Option<Array1<f32>>>> {
        let mut voices = memory::filled("voices", pieces.len(), None)?;
        for group in self.grouped(pieces.into_iter().enumerate().collect(), batch) {
            call.check(Stage::Analysis, 0.0)?;
            // Made when they are needed: those of all pieces at once would be many times the audio.
            let inputs = group.iter().map(|(_, rows)| input(rows)).collect::<Result<Vec<ArrayD<f32>>>>()?;
            let found = self.pool(&inputs, call)?;
            for ((index, _), voice) in group.iter().zip(found.rows()) {
                let usable =
                    voice.iter().all(|value| value.is_finite()) && voice.iter().any(|value| *value != 0.0);
                voices[*index] = usable.then(|| voice.to_owned());
            }
        }
        Ok(voices)
    }

    /// The frames of the split network's first part, where a crop needs them. The features are
    /// normalised over what is said in the stretch.
    fn frames(
        &self,
        network: &Network,
        axis: FrameAxis,
        features: &mut Array2<f32>,
        heard: &[(usize, Vec<usize>)],
        call: &Call<'_>,
    ) -> Result<Frames> {
        let mut wanted = memory::filled("frames", features.nrows(), false)?;
        heard.iter().flat_map(|(_, frames)| frames).for_each(|&frame| wanted[frame] = true);
        self.extractor.normalize_by(features, &wanted);
        Frames::compute(network, axis, features, &wanted, call)
    }

    /// The features of a crop, normalised, with frames and bins in the order of the network's
    /// input.
    fn cut(&self, features: &Array2<f32>, frames: &[usize]) -> Result<ArrayD<f32>> {
        let mut cut = memory::array("features", (frames.len(), features.ncols()), 0.0)?;
        for (mut to, &frame) in cut.rows_mut().into_iter().zip(frames) {
            to.assign(&features.row(frame));
        }
        self.extractor.normalize(&mut cut.view_mut());
        Ok(if self.layout.bins_first { cut.reversed_axes().into_dyn() } else { cut.into_dyn() })
    }

    /// Puts pieces, each with its rows of frames, together that can be run at once: those with the
    /// same number of rows; one without rows is left out. None is made longer: even a network that
    /// is told the number of frames is exported without the masks that would keep the rest out of
    /// its convolutions. On a GPU, where small runs waste most of it, some are shortened, by up to
    /// a sixteenth; a processor gains nothing by that.
    fn grouped(&self, mut pieces: Vec<(usize, Vec<usize>)>, batch: usize) -> Vec<Vec<(usize, Vec<usize>)>> {
        // Frames may lie so far apart that none falls into the spans of a crop.
        pieces.retain(|(_, rows)| !rows.is_empty());
        let at_once = self.layout.fixed_batch.map_or(batch, |fixed| fixed.min(batch)).max(1);
        if at_once > 1 && self.provider() != Provider::Cpu {
            for (_, rows) in &mut pieces {
                rows.truncate(rounded(rows.len()));
            }
        }
        pieces.sort_by_key(|(index, rows)| (rows.len(), *index));
        pieces
            .chunk_by(|(_, a), (_, b)| a.len() == b.len())
            .flat_map(|alike| alike.chunks(at_once).map(<[_]>::to_vec))
            .collect()
    }

    /// Runs the pooling part, or the whole network, on inputs of one shape: [inputs, dim].
    fn pool(&self, group: &[ArrayD<f32>], call: &Call<'_>) -> Result<Array2<f32>> {
        let rows = self.layout.fixed_batch.filter(|_| self.frames.is_none()).unwrap_or(group.len());
        let shape = group.first().map_or(&[][..], |input| input.shape());
        let mut batch = memory::array("features", IxDyn(&[&[rows], shape].concat()), 0.0_f32)?;
        for (input, mut row) in group.iter().zip(batch.outer_iter_mut()) {
            row.assign(input);
        }
        let tensor = floats(batch.view())?;
        let read = |outputs: Outputs<'_, '_>| self.read(&outputs, rows, group.len());
        if !self.layout.has_lengths {
            return self.pooling.run([tensor], call, read);
        }
        let frames = shape.get(usize::from(self.layout.bins_first)).copied().unwrap_or(0);
        let lengths = Array1::from_elem(rows, frames as i64);
        let lengths = integers(lengths.view())?;
        self.pooling.run([tensor, lengths], call, read)
    }

    /// The embeddings of the first `count` of `rows` rows.
    fn read(&self, outputs: &Outputs<'_, '_>, rows: usize, count: usize) -> Result<Array2<f32>> {
        let name = &self.layout.output;
        let network = self.pooling.name();
        let wrong = |found: String| {
            let text = format!("{network}: output `{name}`: expected [{rows}, dim], {found}");
            Error::Model(text)
        };
        let missing = || wrong("the network gave no such output".to_owned());
        let array = outputs.named(name)?.ok_or_else(missing)?;
        let shape = array.shape().to_vec();
        let refused = || wrong(format!("the network gave {shape:?}"));
        if rows == 0 || shape.first() != Some(&rows) || array.is_empty() {
            return Err(refused());
        }
        // Some exports keep an axis of length 1.
        let flat = array.to_shape((rows, array.len() / rows)).map_err(|_| refused())?;
        let found = flat.into_dimensionality::<Ix2>().map_err(|_| refused())?;
        if self.dim != 0 && found.ncols() != self.dim {
            return Err(refused());
        }
        memory::owned("voices", &found.slice(s![..count, ..]))
    }
}

/// The largest number of at most five binary digits, followed by zeros, that is not above `frames`.
fn rounded(frames: usize) -> usize {
    const DIGITS: u32 = 5;
    let step = 1usize << (usize::BITS - frames.leading_zeros()).saturating_sub(DIGITS);
    frames / step * step
}

/// Opens a network, and reads what its file says of itself.
fn open_described(
    model: &ModelBytes,
    label: &str,
    config: &Config,
    call: &Call<'_>,
) -> Result<(Network, Description)> {
    Network::open(model, &label, config, call, |described, _| described)
}

/// Looks for the place where the network can be split; the inner `Err` holds the reason why there
/// is none.
fn find_split(model: &[u8], layout: &Layout, config: &Config, call: &Call<'_>) -> Result<import::Found> {
    if layout.has_lengths {
        return Ok(Err("it is told the number of frames, on which all of them depend".to_owned()));
    }
    if layout.fixed_batch.is_some_and(|rows| rows != 1) {
        return Ok(Err("the file fixes the number of rows".to_owned()));
    }
    import::split(model, &layout.input, layout.bins, &layout.output, config, call)
}

/// What was found when a file was imported.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The files written beside it.
    pub files: Vec<std::path::PathBuf>,
    /// Name of the tensor at which the network was split, or the reason why it runs as a whole.
    pub split: std::result::Result<String, String>,
}

/// Looks for the place where the speaker embedding network in the file `path` can be split, and
/// writes what was found beside it, where the next load takes it from: `<stem>.import.json`,
/// `<stem>.frames.onnx`, `<stem>.pooling.onnx`. Older ones are replaced. The options of `config`
/// apply.
///
/// # Errors
/// Those of loading an embedding model; [`Error::Io`] when a file cannot be written.
pub fn import_model(path: impl AsRef<std::path::Path>, config: &Config) -> Result<Imported> {
    let path = path.as_ref();
    let ModelFile { label, bytes } = ModelFile::read(&ModelSource::File(path.to_owned()))?;
    let call = Call::none();
    let (_, described) = open_described(&bytes, &label, config, &call)?;
    let found = find_split(&bytes, &Layout::of(&described, config)?, config, &call)?;
    let files = import::write(path, bytes.sha256(), &found)?;
    Ok(Imported { files, split: found.map(|split| split.tensor) })
}

#[cfg(test)]
mod family_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_are_shortened_by_less_than_a_sixteenth() {
        for frames in 1..2000 {
            let short = rounded(frames);
            assert!(short <= frames && (frames - short) * 16 < frames.max(16), "{frames} became {short}");
        }
        let lengths: std::collections::BTreeSet<usize> = (20..1000).map(rounded).collect();
        assert!(lengths.len() < 100, "{}", lengths.len());
    }
}
