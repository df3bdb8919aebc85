//! How long ago it was found out what arms should run: a registry or a folder that does not answer
//! keeps them at old models, and nothing else tells.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::family::Family;

use super::FloatGauge;
use super::models::OfArm;

/// The looks at what arms are told, by the arm.
#[derive(Clone, Debug, Default)]
pub struct Looks(Arc<Mutex<BTreeMap<String, Last>>>);

#[derive(Clone, Copy, Debug)]
struct Last {
    /// The last look with success, or the first one.
    at: Instant,
    /// Whether there was another one since.
    failed: bool,
}

impl Looks {
    /// These arms were looked at, and there are no others: whether that had success. Gives those at
    /// which it failed before and does not any more, with the seconds from the last success.
    pub fn note<'a>(&self, looks: impl Iterator<Item = (&'a str, bool)>) -> Vec<(&'a str, f64)> {
        let now = Instant::now();
        let mut all = self.0.lock();
        let old = std::mem::take(&mut *all);
        let mut again = Vec::new();
        for (arm, succeeded) in looks {
            let before = old.get(arm);
            if let Some(before) = before.filter(|before| succeeded && before.failed) {
                again.push((arm, now.duration_since(before.at).as_secs_f64()));
            }
            let at = before.filter(|_| !succeeded).map_or(now, |before| before.at);
            all.insert(arm.to_owned(), Last { at, failed: !succeeded });
        }
        again
    }
}

impl Collector for Looks {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let looks = self.0.lock();
        // A server that never looks has none.
        if looks.is_empty() {
            return Ok(());
        }
        let ages: Family<OfArm, FloatGauge> = Family::default();
        for (arm, last) in looks.iter() {
            ages.get_or_create(&OfArm { arm: arm.as_str().into() }).set(last.at.elapsed().as_secs_f64());
        }
        let text = "Time since it was last found out what an arm should run";
        ages.encode(encoder.encode_descriptor(
            "voiceflow_model_look_age_seconds",
            text,
            None,
            MetricType::Gauge,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_is_that_from_the_last_success_and_its_end_is_told_once() {
        let looks = Looks::default();
        let age = |arm: &str| looks.0.lock().get(arm).map(|last| last.at.elapsed().as_secs_f64());
        assert!(looks.note([("a", true), ("b", false)].into_iter()).is_empty());
        std::thread::sleep(Duration::from_millis(60));
        assert!(looks.note([("a", true), ("b", false)].into_iter()).is_empty());
        assert!(age("a").unwrap() < age("b").unwrap() && age("b").unwrap() >= 0.06);
        let again = looks.note([("b", true)].into_iter());
        assert!(matches!(again.as_slice(), [("b", silent_s)] if *silent_s >= 0.06), "{again:?}");
        assert!(looks.note([("b", true)].into_iter()).is_empty() && age("a").is_none());
    }
}
