//! Where log records go: standard error, as JSON or as text. Records never hold audio, embeddings,
//! tokens or names of voices.

use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The readers of recordings, which call a client's broken file an error.
const READERS: &str = "symphonia";

/// Least severity that is logged.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing.
    Off,
    /// Failures of the server.
    Error,
    /// What an operator should look at.
    Warn,
    /// A line for each request and stream.
    #[default]
    Info,
    /// What the server decides on the way.
    Debug,
}

/// Form of the records.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// An object on each line.
    #[default]
    Json,
    /// Lines for people.
    Text,
}

/// Sends the records of this program and of the library to standard error.
pub fn start(level: Level, format: Format) {
    let filter = match level {
        Level::Off => LevelFilter::OFF,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let of_readers = if level == Level::Debug { filter } else { LevelFilter::OFF };
    let targets = Targets::new().with_default(filter).with_target(READERS, of_readers);
    let builder =
        tracing_subscriber::fmt().with_max_level(filter).with_writer(std::io::stderr).with_ansi(false);
    // A second start would leave the first in place; there is one.
    let _ = match format {
        Format::Json => {
            builder.json().flatten_event(true).with_current_span(false).finish().with(targets).try_init()
        }
        Format::Text => builder.finish().with(targets).try_init(),
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}
