//! `voiceflow-server ab-report`: compares arms by what a Prometheus has scraped of the servers,
//! each figure with the interval in which it lies with 95 %.

mod prometheus;
mod statistics;
mod text;

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use prometheus::{Prometheus, Sample};
use statistics::{Buckets, Interval, difference, quantile, quantile_ratio, wilson};

/// Quantiles that are compared.
const SHARES: [(&str, f64); 2] = [("p50", 0.5), ("p99", 0.99)];

/// What is asked of a report.
#[derive(Args)]
pub struct Arguments {
    /// Address of the Prometheus, such as http://127.0.0.1:9090
    #[arg(long, value_name = "URL")]
    prometheus: String,
    /// Time that is looked at, as PromQL has it
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    window: String,
    /// The arm that the others are compared with; the first by name without it
    #[arg(long, value_name = "ARM")]
    control: Option<String>,
    /// Job of the servers in Prometheus
    #[arg(long, default_value = "voiceflow")]
    job: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// All that is said.
#[derive(Debug, Serialize)]
struct Report {
    window: String,
    control: String,
    arms: Vec<Compared>,
}

/// An arm.
#[derive(Debug, Serialize)]
struct Compared {
    arm: String,
    kinds: Vec<OfKind>,
    /// Quantiles of times, by the name of what takes them.
    times: Vec<OfTimes>,
}

/// Recordings or streams.
#[derive(Debug, Serialize)]
struct OfKind {
    kind: String,
    answers: u64,
    failures: u64,
    /// Share of failures.
    error_rate: Interval,
    /// That less the control's.
    error_rate_difference: Option<Interval>,
    /// Compute for each second of audio.
    compute_ratio: Option<f64>,
}

/// Quantiles of one histogram.
#[derive(Debug, Serialize)]
struct OfTimes {
    name: &'static str,
    count: u64,
    quantiles: Vec<OfQuantile>,
}

#[derive(Debug, Serialize)]
struct OfQuantile {
    name: &'static str,
    value: Interval,
    /// That over the control's.
    ratio: Option<Interval>,
}

/// What arms have done.
#[derive(Default)]
struct Arm {
    /// Done, refused and failed, of recordings and streams.
    outcomes: BTreeMap<String, BTreeMap<String, u64>>,
    audio_s: BTreeMap<String, f64>,
    compute_s: BTreeMap<String, f64>,
    response: Buckets,
    speed: Buckets,
}

/// A histogram of an arm.
type Of = fn(&Arm) -> &Buckets;

/// The report as text.
///
/// # Errors
/// Why there is none.
pub async fn report(arguments: &Arguments) -> Result<String, String> {
    let arms = read(arguments).await?;
    let first = arms.keys().next().ok_or_else(|| {
        let Arguments { window, job, .. } = arguments;
        format!("--window: expected answers of the job {job} in the last {window}, Prometheus has none")
    })?;
    let control = arguments.control.clone().unwrap_or_else(|| first.clone());
    let of_control = arms.get(&control).ok_or_else(|| {
        let names: Vec<&str> = arms.keys().map(String::as_str).collect();
        format!("--control: expected one of {}, got {control}", names.join(", "))
    })?;
    let compared = arms.iter().map(|(name, arm)| {
        let against = (*name != control).then_some(of_control);
        Compared { arm: name.clone(), kinds: kinds(arm, against), times: times(arm, against) }
    });
    let report =
        Report { window: arguments.window.clone(), control: control.clone(), arms: compared.collect() };
    if arguments.json {
        return serde_json::to_string_pretty(&report)
            .map(|text| text + "\n")
            .map_err(|error| error.to_string());
    }
    Ok(text::render(&report))
}

async fn read(arguments: &Arguments) -> Result<BTreeMap<String, Arm>, String> {
    let Arguments { prometheus, window, job, .. } = arguments;
    let prometheus = Prometheus::new(prometheus)?;
    let increase = async |by: &str, metric: &str| {
        let query = format!("sum by ({by}) (increase({metric}{{job=\"{job}\"}}[{window}]))");
        prometheus.query(&query).await
    };
    let mut arms: BTreeMap<String, Arm> = BTreeMap::new();
    let mut take = |samples: Vec<Sample>, put: fn(&mut Arm, &Sample)| {
        for sample in samples {
            put(arms.entry(sample.label("arm")).or_default(), &sample);
        }
    };
    take(increase("arm, kind, outcome", "voiceflow_answers_total").await?, |arm, sample| {
        let of_kind = arm.outcomes.entry(sample.label("kind")).or_default();
        of_kind.insert(sample.label("outcome"), sample.count());
    });
    take(increase("arm, kind", "voiceflow_audio_seconds_total").await?, |arm, sample| {
        arm.audio_s.insert(sample.label("kind"), sample.value);
    });
    take(increase("arm, kind", "voiceflow_compute_seconds_total").await?, |arm, sample| {
        arm.compute_s.insert(sample.label("kind"), sample.value);
    });
    take(increase("arm, le", "voiceflow_stream_response_seconds_bucket").await?, |arm, sample| {
        arm.response.add(&sample.label("le"), sample.count());
    });
    take(increase("arm, le", "voiceflow_recording_compute_ratio_bucket").await?, |arm, sample| {
        arm.speed.add(&sample.label("le"), sample.count());
    });
    Ok(arms)
}

/// Answers and failures; who asked for what cannot be had counts as neither.
fn counts(arm: &Arm, kind: &str) -> (u64, u64) {
    let of = |outcome: &str| arm.outcomes.get(kind).and_then(|it| it.get(outcome)).copied().unwrap_or(0);
    (of("done") + of("failed"), of("failed"))
}

fn kinds(arm: &Arm, control: Option<&Arm>) -> Vec<OfKind> {
    let of_kind = |kind: &String| {
        let (answers, failures) = counts(arm, kind);
        let compute = arm.compute_s.get(kind).zip(arm.audio_s.get(kind).filter(|audio_s| **audio_s > 0.0));
        OfKind {
            kind: kind.clone(),
            answers,
            failures,
            error_rate: wilson(failures, answers),
            error_rate_difference: control
                .map(|control| counts(control, kind))
                .map(|(all, failed)| difference((failures, answers), (failed, all))),
            compute_ratio: compute.map(|(compute_s, audio_s)| compute_s / audio_s),
        }
    };
    arm.outcomes.keys().map(of_kind).collect()
}

fn times(arm: &Arm, control: Option<&Arm>) -> Vec<OfTimes> {
    let histograms: [(&'static str, Of); 2] = [
        ("seconds from audio to its segments", |arm| &arm.response),
        ("compute for each second of a recording", |arm| &arm.speed),
    ];
    let of_times = |(name, of): (&'static str, Of)| {
        let own = of(arm);
        let of_quantile = |&(name, share): &(&'static str, f64)| {
            let ratio = control.map(of).and_then(|control| quantile_ratio(own, control, share));
            Some(OfQuantile { name, value: quantile(own, share)?, ratio })
        };
        OfTimes { name, count: own.count(), quantiles: SHARES.iter().filter_map(of_quantile).collect() }
    };
    histograms.into_iter().map(of_times).filter(|times| times.count > 0).collect()
}
