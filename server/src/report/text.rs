//! The report for people.

use std::fmt::Write;

use super::statistics::Interval;
use super::{Compared, Report};

/// A report in lines.
pub(super) fn render(report: &Report) -> String {
    let mut text =
        format!("the last {}, beside {}; in brackets what holds with 95 %\n", report.window, report.control);
    for arm in &report.arms {
        arm_of(&mut text, arm);
    }
    text
}

fn arm_of(text: &mut String, Compared { arm, kinds, times }: &Compared) {
    // A string takes whatever is written.
    let _ = writeln!(text, "\n{arm}");
    for kind in kinds {
        let what = if kind.kind == "live" { "streams" } else { "recordings" };
        let percent = |share: f64| 100.0 * share;
        let _ = write!(
            text,
            "  {what}: {} answered, {} failed: {} %",
            kind.answers,
            kind.failures,
            shown(&kind.error_rate, percent)
        );
        if let Some(difference) = &kind.error_rate_difference {
            let verdict = verdict(difference, 0.0);
            let _ = write!(text, ", {} points more: {verdict}", shown(difference, percent));
        }
        if let Some(ratio) = kind.compute_ratio {
            let _ = write!(text, "; compute for each second of audio {ratio:.4} s");
        }
        text.push('\n');
    }
    for times in times {
        for quantile in &times.quantiles {
            let (name, value) = (quantile.name.to_uppercase(), shown(&quantile.value, |value| value));
            let _ = write!(text, "  {}, {name} of {}: {value}", times.name, times.count);
            if let Some(ratio) = &quantile.ratio {
                let _ = write!(text, ", {} times: {}", shown(ratio, |ratio| ratio), verdict(ratio, 1.0));
            }
            text.push('\n');
        }
    }
}

fn shown(interval: &Interval, unit: impl Fn(f64) -> f64) -> String {
    let [value, low, high] =
        [interval.value, interval.low, interval.high].map(|it| format!("{:.4}", unit(it)));
    format!("{value} [{low}, {high}]")
}

/// What an interval says where `same` is no difference.
fn verdict(interval: &Interval, same: f64) -> &'static str {
    match interval {
        Interval { low, .. } if *low > same => "worse",
        Interval { high, .. } if *high < same => "better",
        _ => "no difference that is sure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_where_it_is_sure() {
        let of = |low, high| verdict(&Interval { value: 1.5, low, high }, 1.0);
        assert_eq!(
            [of(1.1, 2.0), of(0.5, 0.9), of(0.9, 1.1)],
            ["worse", "better", "no difference that is sure"]
        );
    }
}
