//! The options of ONNX Runtime itself, which a process loads once: the first session decides for
//! all.

use std::path::PathBuf;

use super::Config;

impl Config {
    /// Loads ONNX Runtime from this file. Default: the places in the crate documentation. The first
    /// session of the process decides; a later, different path is refused there.
    pub fn set_runtime_library(&mut self, path: impl Into<PathBuf>) {
        self.runtime_library = Some(path.into());
    }

    /// Whether ONNX Runtime may use its telemetry, which writes files below the home folder and
    /// sends data to Microsoft. `true` leaves it as ONNX Runtime has it, which depends on its build
    /// and on the environment; `false` switches it off. The first session of the process decides; a
    /// later one that asks for the other is refused. Default: off for the session that loads ONNX
    /// Runtime, and what that has decided for later ones.
    pub fn set_telemetry(&mut self, allowed: bool) {
        self.telemetry = Some(allowed);
    }

    /// The ONNX Runtime library asked for.
    pub fn runtime_library(&self) -> Option<&PathBuf> {
        self.runtime_library.as_ref()
    }

    /// Whether telemetry was allowed or forbidden, if either.
    pub fn telemetry(&self) -> Option<bool> {
        self.telemetry
    }
}
