//! Runs parts of a network once, on the CPU, to see what they do.

use ndarray::{Array2, ArrayD, Axis};

use crate::call::Call;
use crate::config::{Config, Provider, ProviderPolicy};
use crate::ending;
use crate::error::{Error, Result};
use crate::memory;
use crate::onnx::{ModelBytes, Network, floats};

/// How networks are probed.
pub(super) struct Probe<'a> {
    config: Config,
    call: &'a Call<'a>,
}

impl<'a> Probe<'a> {
    /// Probes on the CPU, with the threads and the ONNX Runtime of `config`, as long as `call`
    /// wants it. What is run once is not worth keeping.
    pub(super) fn new(config: &Config, call: &'a Call<'a>) -> Result<Self> {
        let mut config = config.clone();
        config.set_provider(Provider::Cpu, ProviderPolicy::Required);
        config.set_slots(1)?;
        config.clear_cache_folder();
        Ok(Probe { config, call })
    }

    /// All outputs of the ONNX file `model` for one row of features [frames, bins].
    pub(super) fn run(&self, model: &[u8], features: Array2<f32>) -> Result<Vec<ArrayD<f32>>> {
        self.outputs(model, features.insert_axis(Axis(0)).into_dyn())
    }

    /// The first output for one row of features.
    pub(super) fn run_one(&self, model: &[u8], features: Array2<f32>) -> Result<ArrayD<f32>> {
        self.run_one_array(model, features.insert_axis(Axis(0)).into_dyn())
    }

    /// The first output for any input.
    pub(super) fn run_one_array(&self, model: &[u8], input: ArrayD<f32>) -> Result<ArrayD<f32>> {
        let mut outputs = self.outputs(model, input)?;
        if outputs.is_empty() {
            return Err(Error::Model("a part of the network has no output".to_owned()));
        }
        Ok(outputs.swap_remove(0))
    }

    fn outputs(&self, model: &[u8], input: ArrayD<f32>) -> Result<Vec<ArrayD<f32>>> {
        let _work = ending::work()?;
        let model = ModelBytes::new(memory::copied("model", model)?);
        let (network, ()) =
            Network::open(&model, &"part of the network", &self.config, self.call, |_, _| ())?;
        let tensor = floats(input.view())?;
        network.run([tensor], self.call, |outputs| {
            outputs.all().map(|array| memory::owned("outputs", &array?)).collect()
        })
    }
}
