//! What a client asks of its stream: in the query, or in its first message.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::Deserialize;
use voiceflow::audio::{MAX_CHANNELS, MAX_INPUT_RATE, MIN_INPUT_RATE, SAMPLE_RATE};
use voiceflow::call::MAX_SPEAKERS;
use voiceflow::config::LATENCY_S;

use super::decoder::{Decoder, Unfit};
use super::encoding::Encoding;
use crate::auth::Tenant;
use crate::http::{ApiError, App, Asked, choose};
use crate::metrics::Kind;
use crate::models::Bundle;
use crate::voices::Known;
use crate::work::live::Settings;

/// Longest time in seconds that is remembered for the result at the end.
const HISTORY_S: f64 = 3600.0;

/// What a client asks for; without a value, what is usual. A member that nobody knows is ignored.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub(super) struct Wanted {
    pub(super) encoding: Option<String>,
    pub(super) sample_rate: Option<u32>,
    pub(super) channels: Option<u16>,
    pub(super) latency: Option<f64>,
    pub(super) max_speakers: Option<usize>,
    pub(super) result: Option<bool>,
    pub(super) model: Option<String>,
    pub(super) key: Option<String>,
    pub(super) gallery: Option<String>,
    pub(super) name_threshold: Option<f32>,
}

impl Wanted {
    /// Takes a field of the query.
    ///
    /// # Errors
    /// A value that is none, by the field's name.
    pub(super) fn set_text(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let json = match name {
            "encoding" | "model" | "key" | "gallery" => serde_json::Value::from(value),
            "sample_rate" | "channels" | "latency" | "max_speakers" | "result" | "name_threshold" => {
                let parsed = serde_json::from_str(value);
                parsed.map_err(|_| ApiError::invalid(name, format!("expected a value, got {value:?}")))?
            }
            _ => return Ok(()),
        };
        let one = serde_json::Map::from_iter([(name.to_owned(), json)]);
        let wanted = Wanted::deserialize(serde_json::Value::Object(one));
        let wanted = wanted.map_err(|error| ApiError::invalid(name, error))?;
        *self = wanted.over(self.clone());
        Ok(())
    }

    /// These values over `usual` ones.
    pub(super) fn over(self, usual: Self) -> Self {
        Self {
            encoding: self.encoding.or(usual.encoding),
            sample_rate: self.sample_rate.or(usual.sample_rate),
            channels: self.channels.or(usual.channels),
            latency: self.latency.or(usual.latency),
            max_speakers: self.max_speakers.or(usual.max_speakers),
            result: self.result.or(usual.result),
            model: self.model.or(usual.model),
            key: self.key.or(usual.key),
            gallery: self.gallery.or(usual.gallery),
            name_threshold: self.name_threshold.or(usual.name_threshold),
        }
    }

    /// How the samples are written.
    ///
    /// # Errors
    /// An encoding that there is not.
    pub(super) fn encoding(&self) -> Result<Encoding, ApiError> {
        match &self.encoding {
            Some(name) => Encoding::named(name).map_err(|reason| ApiError::invalid("encoding", reason)),
            None => Ok(Encoding::default()),
        }
    }

    /// The decoder of the stream's messages.
    ///
    /// # Errors
    /// A form that packets do not have.
    pub(super) fn decoder(&self, settings: &Settings) -> Result<Decoder, ApiError> {
        let made = Decoder::new(self.encoding()?, settings.sample_rate, settings.channels);
        made.map_err(|unfit| match unfit {
            Unfit::SampleRate(reason) => ApiError::invalid("sample_rate", reason),
            Unfit::Channels(reason) => ApiError::invalid("channels", reason),
            Unfit::Failed(error) => ApiError::internal(&error),
        })
    }

    /// What the stream `id` is told, with its models and the gallery of `tenant`.
    ///
    /// # Errors
    /// A value out of range, by its name; a model or a gallery that is not there.
    pub(super) async fn settings(
        &self,
        app: &Arc<App>,
        tenant: &Tenant,
        id: &str,
    ) -> Result<Settings, ApiError> {
        self.encoding()?;
        let asked = Asked {
            key: self.key.as_deref(),
            model: self.model.as_deref(),
            gallery: self.gallery.as_deref(),
            name_threshold: self.name_threshold,
        };
        let (chosen, known) = choose(app, tenant, id, Kind::Live, asked).await?;
        self.with(chosen.bundle, known)
    }

    /// With these models and voices.
    fn with(&self, bundle: Arc<Bundle>, known: Option<Known>) -> Result<Settings, ApiError> {
        let sample_rate =
            within("sample_rate", self.sample_rate.unwrap_or(SAMPLE_RATE), MIN_INPUT_RATE..=MAX_INPUT_RATE)?;
        let channels = within("channels", self.channels.unwrap_or(1), 1..=MAX_CHANNELS)?;
        let mut config = voiceflow::Config::default();
        if let Some(latency) = self.latency {
            let latency = within("latency", latency, LATENCY_S)?;
            config.set_latency(latency).map_err(|error| ApiError::internal(&error))?;
        }
        if let Some(most) = self.max_speakers {
            let most = within("max_speakers", most, 1..=MAX_SPEAKERS)?;
            config.set_speaker_range(0, most).map_err(|error| ApiError::internal(&error))?;
        }
        let result = self.result.unwrap_or(false);
        let history_s = if result { HISTORY_S } else { 0.0 };
        config.set_history(history_s).map_err(|error| ApiError::internal(&error))?;
        Ok(Settings { bundle, sample_rate, channels, config, result, known })
    }
}

fn within<T: PartialOrd + std::fmt::Display + Copy>(
    name: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<T, ApiError> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(ApiError::invalid(name, format!("expected {} to {}, got {value}", range.start(), range.end())))
}
