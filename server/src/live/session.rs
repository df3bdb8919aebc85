//! One stream on its socket: reads while the mailbox has room, writes what the outbox has, and
//! knows every way in which a stream ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures_util::SinkExt;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::PATIENCE;
use super::decoder::Decoder;
use super::encoding::Encoding;
use super::outcome::{How, Outcome};
use super::protocol::{FromClient, ToClient};
use super::settings::Wanted;
use crate::auth::Tenant;
use crate::http::{ApiError, App, Diarized, Extent};
use crate::metrics::Kind;
use crate::models::name_of;
use crate::work::FAILED;
use crate::work::batch::Place;
use crate::work::live::{Actor, Event, Settings};

/// Time from one look at the clock to the next.
const TICK: Duration = Duration::from_millis(250);
/// Longest audio in seconds of one message.
const MESSAGE_S: f64 = 1.0;
/// Share of the drain in which streams are asked to end; the rest is for their last answers.
const DRAIN_SHARE: f64 = 0.8;

/// A stream and its client.
pub(super) struct Session {
    app: Arc<App>,
    id: String,
    tenant: Tenant,
    wanted: Wanted,
    encoding: Encoding,
    settings: Settings,
    decoder: Decoder,
    actor: Arc<Actor>,
    begun: Instant,
    /// When the client last sent audio or anything else that it must send.
    heard: Instant,
    /// When the client last sent anything at all.
    alive: Instant,
    pinged: Option<Instant>,
    audio_s: f64,
    /// Whether the end was asked for, by whom.
    ending: Option<How>,
    /// When the stream is ended for the drain.
    drain_at: Option<Instant>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.actor.close();
    }
}

impl Session {
    /// A stream that is about to begin.
    pub(super) fn new(
        app: Arc<App>,
        id: String,
        tenant: Tenant,
        wanted: Wanted,
        settings: Settings,
        decoder: Decoder,
        place: &Place,
    ) -> Self {
        let bytes = app.config.live.outbox_bytes;
        let actor = Actor::new(app.live.clone(), settings.clone(), bytes, place);
        let encoding = wanted.encoding().unwrap_or_default();
        let now = Instant::now();
        Self {
            app,
            id,
            tenant,
            wanted,
            encoding,
            settings,
            decoder,
            actor,
            begun: now,
            heard: now,
            alive: now,
            pinged: None,
            audio_s: 0.0,
            ending: None,
            drain_at: None,
        }
    }

    /// Runs the stream to its end.
    pub(super) async fn run(mut self, mut socket: WebSocket) -> Outcome {
        let how = match self.converse(&mut socket).await {
            Ok(how) | Err(how) => how,
        };
        self.count(how);
        if how != How::Gone {
            let reason = Outcome { how, audio_s: 0.0 }.name();
            let frame = CloseFrame { code: how.close_code(), reason: reason.into() };
            let _ = timeout(PATIENCE, socket.send(Message::Close(Some(frame)))).await;
        }
        Outcome { how, audio_s: self.audio_s }
    }

    /// Counts how the stream ended for its models.
    fn count(&self, how: How) {
        let outcome = how.of_models();
        let bundle = &self.settings.bundle;
        self.app.metrics.models.answered(Kind::Live, &bundle.arm, outcome);
        bundle.record.answered(outcome == FAILED);
    }

    async fn converse(&mut self, socket: &mut WebSocket) -> Result<How, How> {
        let Settings { bundle, sample_rate, channels, config, .. } = &self.settings;
        let ready = ToClient::Ready {
            id: &self.id,
            model: &name_of(bundle.info(Kind::Live)),
            arm: &bundle.arm,
            encoding: self.encoding.name(),
            sample_rate: *sample_rate,
            channels: *channels,
            latency: config.latency_s(),
            hop: bundle.live.live_hop_s(),
        };
        send(socket, &ready).await?;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let actor = self.actor.clone();
        loop {
            let room = actor.has_room();
            tokio::select! {
                message = socket.recv(), if room => match message {
                    Some(Ok(message)) => self.take(socket, message).await?,
                    Some(Err(_)) | None => return Err(How::Gone),
                },
                () = actor.outbox.changed() => {
                    if let Some(how) = self.flush(socket).await? {
                        return Ok(how);
                    }
                }
                () = actor.room.notified(), if !room => {}
                _ = ticks.tick() => self.tick(socket).await?,
            }
        }
    }

    /// Takes a message.
    async fn take(&mut self, socket: &mut WebSocket, message: Message) -> Result<(), How> {
        self.alive = Instant::now();
        self.pinged = None;
        match message {
            Message::Binary(bytes) => match self.push(&bytes) {
                Ok(()) => Ok(()),
                Err(error) => refuse(socket, &error).await,
            },
            Message::Text(text) => match serde_json::from_str::<FromClient>(&text) {
                Ok(message) => self.obey(socket, message).await,
                Err(error) => refuse(socket, &ApiError::malformed(format!("message: {error}"))).await,
            },
            Message::Close(_) => Err(How::Gone),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    async fn obey(&mut self, socket: &mut WebSocket, message: FromClient) -> Result<(), How> {
        match message {
            FromClient::Update(wanted) => {
                self.heard = Instant::now();
                match self.update(wanted).await {
                    Ok(()) => self.tell_update(socket).await,
                    Err(error) => refuse(socket, &error).await,
                }
            }
            FromClient::Reset if self.ending == Some(How::Done) => {
                let text = "session.reset: expected before audio.end, got it later";
                refuse(socket, &ApiError::malformed(text)).await
            }
            // The server ends the stream, and the client may not know it yet.
            FromClient::Reset if self.ending.is_some() => Ok(()),
            FromClient::Reset => {
                self.heard = Instant::now();
                match self.wanted.decoder(&self.settings) {
                    Ok(decoder) => self.decoder = decoder,
                    Err(error) => return refuse(socket, &error).await,
                }
                self.audio_s = 0.0;
                self.actor.reset(self.settings.clone());
                Ok(())
            }
            FromClient::End => {
                self.end(How::Done);
                Ok(())
            }
            FromClient::Ping { t } => send(socket, &ToClient::Pong { t: &t }).await,
        }
    }

    fn end(&mut self, how: How) {
        if self.ending.is_none() {
            self.ending = Some(how);
            self.actor.end();
        }
    }

    /// Takes samples.
    fn push(&mut self, bytes: &Bytes) -> Result<(), ApiError> {
        match self.ending {
            Some(How::Done) => {
                return Err(ApiError::malformed("audio: expected none after audio.end, got some"));
            }
            // The server ends the stream, and the client may not know it yet.
            Some(_) => return Ok(()),
            None => {}
        }
        let Settings { sample_rate, channels, .. } = self.settings;
        let samples = self.decoder.decode(bytes).map_err(ApiError::malformed)?;
        let seconds = samples.len() as f64 / (f64::from(sample_rate) * f64::from(channels));
        if seconds > MESSAGE_S {
            let text = format!("audio: expected at most {MESSAGE_S} s in a message, got {seconds} s");
            return Err(ApiError::too_large(text));
        }
        self.audio_s += seconds;
        self.heard = Instant::now();
        self.actor.push(samples);
        Ok(())
    }

    /// Changes the settings, before the first samples.
    async fn update(&mut self, wanted: Wanted) -> Result<(), ApiError> {
        if self.audio_s > 0.0 || self.ending.is_some() {
            return Err(ApiError::malformed("session.update: expected before the first audio, got it later"));
        }
        let wanted = wanted.over(self.wanted.clone());
        let settings = wanted.settings(&self.app, &self.tenant, &self.id).await?;
        (self.encoding, self.decoder) = (wanted.encoding()?, wanted.decoder(&settings)?);
        (self.wanted, self.settings) = (wanted, settings);
        self.actor.configure(self.settings.clone());
        Ok(())
    }

    async fn tell_update(&mut self, socket: &mut WebSocket) -> Result<(), How> {
        let Settings { bundle, sample_rate, channels, config, .. } = &self.settings;
        let updated = ToClient::Updated {
            model: &name_of(bundle.info(Kind::Live)),
            arm: &bundle.arm,
            encoding: self.encoding.name(),
            sample_rate: *sample_rate,
            channels: *channels,
            latency: config.latency_s(),
        };
        send(socket, &updated).await
    }

    /// Sends what the outbox has; gives how the stream ended, if it did.
    async fn flush(&mut self, socket: &mut WebSocket) -> Result<Option<How>, How> {
        let Some(batch) = self.actor.outbox.take() else { return Err(How::SlowConsumer) };
        for event in batch.events {
            match event {
                Event::Final(segments) => feed(socket, &ToClient::settled(&segments)).await?,
                Event::Provisional(segments) => feed(socket, &ToClient::provisional(&segments)).await?,
                Event::Processed(seconds) => {
                    let processed_until = crate::http::to_millisecond(seconds);
                    feed(socket, &ToClient::Processed { processed_until }).await?;
                }
                Event::Reset => feed(socket, &ToClient::Reset).await?,
                Event::Done { map, result, duration_s } => {
                    if !map.is_empty() {
                        feed(socket, &ToClient::Revision { map: &map }).await?;
                    }
                    let duration = crate::http::to_millisecond(duration_s);
                    let result = result.map(|result| Diarized::new(&result, &Extent::default()));
                    send(socket, &ToClient::Done { duration, result }).await?;
                    return Ok(Some(self.ending.unwrap_or(How::Done)));
                }
                Event::Failed(failure) => {
                    let error = ApiError::from(failure);
                    let how = if error.is_of_client() { How::Refused } else { How::Failed };
                    self.app.metrics.error(error.code());
                    send(socket, &ToClient::Error(error.body())).await?;
                    return Ok(Some(how));
                }
            }
        }
        in_time(socket.flush()).await?;
        if let Some(since) = batch.since {
            self.app.metrics.models.response(&self.settings.bundle.arm, since.elapsed());
        }
        Ok(None)
    }

    /// Looks at the clock.
    async fn tick(&mut self, socket: &mut WebSocket) -> Result<(), How> {
        self.actor.look_at_clock();
        let live = &self.app.config.live;
        let seconds = Duration::from_secs_f64;
        if self.actor.behind() > seconds(live.behind_s) {
            return Err(How::Backlog);
        }
        if self.begun.elapsed() > seconds(live.longest_s) {
            return Err(How::TooLong);
        }
        let patience = if self.audio_s > 0.0 { live.idle_s } else { live.first_message_s.min(live.idle_s) };
        if self.ending.is_none() && self.heard.elapsed() > seconds(patience) {
            return Err(How::Idle);
        }
        match self.pinged {
            Some(pinged) if pinged.elapsed() > seconds(live.pong_s) => return Err(How::Gone),
            None if self.alive.elapsed() > seconds(live.ping_s) => {
                self.pinged = Some(Instant::now());
                in_time(socket.send(Message::Ping(Bytes::new()))).await?;
            }
            _ => {}
        }
        match self.drain_at {
            Some(at) if Instant::now() >= at => self.end(How::Drained),
            None if *self.app.closing.borrow() || self.is_outlived() => {
                let within = self.app.config.drain.length_s;
                // At a time of its own, so that clients do not all come to another server at once.
                self.drain_at = Some(Instant::now() + seconds(within * DRAIN_SHARE * share_of(&self.id)));
                send(socket, &ToClient::GoingAway { within }).await?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Session {
    /// Whether other models have long taken the place of those of the stream.
    fn is_outlived(&self) -> bool {
        let longest = Duration::from_secs_f64(self.app.config.rollout.streams_s);
        self.settings.bundle.retired_for().is_some_and(|retired| retired > longest)
    }
}

/// A number from 0 to 1 that differs between streams.
fn share_of(id: &str) -> f64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish() as f64 / u64::MAX as f64
}

/// Says what is wrong; the stream ends, as what comes later would stand at a wrong time.
async fn refuse(socket: &mut WebSocket, error: &ApiError) -> Result<(), How> {
    send(socket, &ToClient::Error(error.body())).await?;
    Err(How::Refused)
}

async fn send(socket: &mut WebSocket, message: &ToClient<'_>) -> Result<(), How> {
    in_time(socket.send(as_text(message)?)).await
}

/// Gives the socket a message that leaves with the next flush, one write for several.
async fn feed(socket: &mut WebSocket, message: &ToClient<'_>) -> Result<(), How> {
    in_time(socket.feed(as_text(message)?)).await
}

fn as_text(message: &ToClient<'_>) -> Result<Message, How> {
    message.text().map(|text| Message::Text(text.into())).map_err(|_| How::Failed)
}

/// Waits for what the socket must take in time.
async fn in_time(taken: impl Future<Output = Result<(), axum::Error>>) -> Result<(), How> {
    match timeout(PATIENCE, taken).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(How::Gone),
        Err(_) => Err(How::SlowConsumer),
    }
}
