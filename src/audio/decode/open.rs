//! The ways to open encoded audio: by its path, from memory, from a source that can seek or from
//! one that only reads. It owns what each of them promises; where the bytes come from is `input`'s.

use std::io::{Read, Seek};
use std::path::Path;

use super::super::container::Container;
use super::super::input::Input;
use super::super::leash::Leash;
use super::super::shield::shield;
use super::super::timeline::Timeline;
use super::super::{AudioSource, Channels, Recording, SAMPLE_RATE, check_track};
use super::{FileSource, Trim, named};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::types::WarningCode;

impl FileSource<'static> {
    /// Opens the audio file at `path` and finds the track to decode; where there are several, the
    /// default one.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Io`] where the system refuses to read it or it is no regular
    /// file; [`Error::Audio`] where it is no audio that can be decoded. All name the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_until(path, &Call::none())
    }
}

impl<'a> FileSource<'a> {
    /// As [`open`](FileSource::open), for work that `call` ends: opening the file and every read
    /// look at it, however long a damaged or hostile file keeps the demuxer busy, and report its
    /// progress.
    ///
    /// # Errors
    /// Those of [`open`](FileSource::open) and [`Call::check`], here and in every read.
    pub fn open_until(path: impl AsRef<Path>, call: &Call<'a>) -> Result<Self> {
        let path = path.as_ref();
        Self::of(path, call, |_| Input::file(path))
    }

    /// The content of an audio file in memory, which errors call `name`, as
    /// [`open_until`](FileSource::open_until).
    ///
    /// # Errors
    /// Those of [`open_until`](FileSource::open_until).
    pub fn from_bytes(name: impl AsRef<Path>, bytes: &'a [u8], call: &Call<'a>) -> Result<Self> {
        let name = name.as_ref();
        Self::of(name, call, |_| Ok(Input::memory(name, bytes)))
    }

    /// The content of an audio file in a source that can seek, from its beginning on, which errors
    /// call `name`. A read or seek that blocks is waited for: `call` is looked at between them.
    ///
    /// # Errors
    /// Those of [`open_until`](FileSource::open_until).
    pub fn from_seekable(
        name: impl AsRef<Path>,
        source: impl Read + Seek + Send + 'a,
        call: &Call<'a>,
    ) -> Result<Self> {
        let name = name.as_ref();
        Self::of(name, call, |leash| Input::seekable(name, source, leash))
    }

    /// The content of an audio file, of any format, that `reader` gives, which errors call `name`.
    /// It is read to its end first: up to 32 MiB are kept in memory, more in a temporary file
    /// without a name, of at most 32 GiB. A read that blocks is waited for: `call` is looked at
    /// between reads, and while the reader fails with
    /// [`ErrorKind::WouldBlock`](std::io::ErrorKind::WouldBlock), as a [`Pipe`](crate::audio::Pipe)
    /// does.
    ///
    /// # Errors
    /// Those of [`open_until`](FileSource::open_until); [`Error::Limit`].
    pub fn from_reader(name: impl AsRef<Path>, reader: impl Read + 'a, call: &Call<'a>) -> Result<Self> {
        let name = name.as_ref();
        Self::of(name, call, |leash| Input::spooled(name, reader, leash))
    }

    /// As [`from_reader`](FileSource::from_reader), for audio that is heard while it comes: samples
    /// are given as soon as they are decoded, and no more is kept than a packet takes. The data has
    /// to begin with its format, and the length is not known. MP4 alone is read to its end first.
    ///
    /// # Errors
    /// Those of [`from_reader`](FileSource::from_reader).
    pub fn live(name: impl AsRef<Path>, reader: impl Read + Send + 'a, call: &Call<'a>) -> Result<Self> {
        let name = name.as_ref();
        let mut source = Self::of(name, call, |leash| Ok(Input::live(name, reader, leash)))?;
        source.gather = 1;
        let count = source.container.tracks();
        if count > 1 {
            let number = source.track.number + 1;
            let text = format!("audio track {number} of {count} is used, unheard: it is the default one");
            source.warn(WarningCode::ChosenTrack, text);
        }
        Ok(source)
    }

    fn of(name: &Path, call: &Call<'a>, input: impl FnOnce(&Leash<'a>) -> Result<Input<'a>>) -> Result<Self> {
        let leash = Leash::new(call);
        leash.look()?;
        // Not behind the shield: what the caller reads with is no decoder.
        let (input, again) = input(&leash)?.shared();
        let mut source = Self::opened(name, input, None, leash)?;
        source.again = again;
        Ok(source)
    }

    /// The audio track of number `asked` in `input`, or what is taken where none is asked for.
    fn opened(name: &Path, input: Input<'a>, asked: Option<u16>, leash: Leash<'a>) -> Result<Self> {
        let (container, track) = shield(|| {
            let container = Container::open(input, asked, leash)?;
            let track = container.select(asked).map_err(Error::Audio)?;
            Ok((container, track))
        })
        .map_err(|error| named(name, error))?;
        let tick_s = track.tick_s;
        let edit_fault = track.edit_fault;
        let mut source = Self {
            path: name.to_owned(),
            again: None,
            channels: Channels::Mix,
            gather: SAMPLE_RATE as usize,
            container,
            asked,
            track,
            converter: None,
            layout: (0, 0),
            trim: Trim::default(),
            timeline: Timeline::new(tick_s),
            ready: Vec::new(),
            interleaved: Vec::new(),
            held: None,
            wide: Vec::new(),
            heard_s: f64::NEG_INFINITY,
            given: 0,
            decoded: 0,
            lost: 0,
            loss: None,
            warnings: Vec::new(),
            ended: false,
        };
        if let Some(fault) = edit_fault {
            source.warn(WarningCode::UnfollowedEdit, format!("the edit list is not followed: {fault}"));
        }
        Ok(source)
    }
}

impl Recording for FileSource<'_> {
    fn name(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn tracks(&self) -> u16 {
        self.container.tracks()
    }

    fn default_track(&self) -> u16 {
        self.track.number
    }

    fn part<'s>(
        &'s self,
        track: u16,
        channels: Channels,
        call: &Call<'s>,
    ) -> Result<Box<dyn AudioSource + 's>> {
        let Some(again) = &self.again else {
            let reason = "expected a recording that can be read again, got one of its tracks";
            return Err(Error::invalid("part", reason));
        };
        check_track(track, self.tracks()).map_err(|error| named(&self.path, error))?;
        let leash = self.container.leash.again(call);
        let mut part = FileSource::opened(&self.path, again.input(), Some(track), leash)?;
        part.channels = if channels == Channels::Mix { self.channels } else { channels };
        Ok(Box::new(part))
    }
}
