//! The gates: how good a model has to be to be published.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::exit::Failure;
use crate::report::Report;

/// Those of the project.
const USUAL: &str = include_str!("../../../../models/gates.toml");

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gates {
    /// For every model.
    all: Gate,
    /// For one, in place of those.
    #[serde(default)]
    models: BTreeMap<String, Gate>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Gate {
    /// By how much the DER of a set may be above that of the present version.
    worse: Option<f64>,
    /// Highest DER on a set, which the report has to have.
    der: BTreeMap<String, f64>,
}

impl Gates {
    /// Reads a file; those of the project without one.
    pub fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let (label, text) = match path {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| Failure::Usage(format!("--gates {}: {error}", path.display())))?;
                (format!("--gates {}", path.display()), text)
            }
            None => ("gates".to_owned(), USUAL.to_owned()),
        };
        let gates: Self =
            toml::from_str(&text).map_err(|error| Failure::Usage(format!("{label}: {}", error.message())))?;
        let all = gates.models.values().chain([&gates.all]);
        let numbers = all.flat_map(|gate| gate.der.values().chain(&gate.worse));
        if let Some(bad) = numbers.into_iter().find(|number| !(0.0..=10.0).contains(*number)) {
            return Err(Failure::Usage(format!("{label}: expected fractions of 0 to 10, found {bad}")));
        }
        Ok(gates)
    }

    /// Why the model of this name and report does not pass, beside the present version's.
    pub fn breaches(&self, name: &str, report: &Report, present: Option<&Report>) -> Vec<String> {
        let own = self.models.get(name);
        let ders = report.ders();
        let percent = |der: f64| format!("{:.2} %", 100.0 * der);
        let mut breaches = Vec::new();
        for (set, most) in self.all.der.iter().chain(own.into_iter().flat_map(|own| &own.der)) {
            match ders.get(set) {
                Some(der) if der <= most => {}
                Some(der) => breaches.push(format!(
                    "DER on {set}: expected at most {}, found {}",
                    percent(*most),
                    percent(*der)
                )),
                None => {
                    breaches.push(format!("DER on {set}: expected at most {}, found none", percent(*most)))
                }
            }
        }
        let worse = own.and_then(|own| own.worse).or(self.all.worse);
        if let (Some(worse), Some(present)) = (worse, present) {
            let mut compared = false;
            for (set, before) in present.ders() {
                let Some(der) = ders.get(&set) else { continue };
                compared = true;
                if *der > before + worse {
                    breaches.push(format!(
                        "DER on {set}: expected at most {} above the {} of the present version, found {}",
                        percent(worse),
                        percent(before),
                        percent(*der)
                    ));
                }
            }
            if !compared {
                breaches.push(
                    "DER: expected a set of recordings that the present version was measured on too, \
                               found none"
                        .to_owned(),
                );
            }
        }
        breaches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(ders: &[(&str, f64)]) -> Report {
        let sets: serde_json::Map<_, _> = ders
            .iter()
            .map(|(set, der)| ((*set).to_owned(), serde_json::json!({"overall": {"der": der}})))
            .collect();
        let model = serde_json::json!({"sha256": "0"});
        let evaluation = serde_json::json!({
            "format": "voiceflow.evaluation", "version": 1, "model": model, "diarization": sets,
        });
        Report::parse(serde_json::json!({"evaluation": evaluation}).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_model_is_no_worse_than_the_gates_and_the_present_one() {
        let gates: Gates =
            toml::from_str("[all]\nworse = 0.01\n[models.a.der]\ntest = 0.3\n[models.b]\nworse = 0.5\n")
                .unwrap();
        let found = |name: &str, ders: &[(&str, f64)], present: Option<&[(&str, f64)]>| {
            gates.breaches(name, &report(ders), present.map(report).as_ref()).join("\n")
        };
        assert_eq!(found("a", &[("test", 0.3)], None), "");
        assert_eq!(
            found("a", &[("test", 0.31)], None),
            "DER on test: expected at most 30.00 %, found 31.00 %"
        );
        assert_eq!(found("a", &[("tune", 0.1)], None), "DER on test: expected at most 30.00 %, found none");
        assert_eq!(found("c", &[("tune", 0.2)], Some(&[("tune", 0.195)])), "");
        let worse = found("c", &[("tune", 0.2)], Some(&[("tune", 0.18)]));
        assert!(worse.contains("at most 1.00 % above the 18.00 %"), "{worse}");
        assert_eq!(found("b", &[("tune", 0.2)], Some(&[("tune", 0.18)])), "");
        assert!(found("c", &[("tune", 0.2)], Some(&[("test", 0.18)])).contains("found none"));
    }

    #[test]
    fn the_gates_of_the_project_can_be_read() {
        let gates = Gates::read(None).unwrap();
        let shipped = include_bytes!("../../../../models/fast-cnn/1.0.1/validation_report.json");
        let report = Report::parse(shipped).unwrap();
        assert_eq!(gates.breaches("fast-cnn", &report, Some(&report)), Vec::<String>::new());
    }
}
