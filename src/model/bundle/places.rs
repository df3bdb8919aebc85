//! The folders in which a bundle is looked for.

use std::path::{Path, PathBuf};

use super::super::embedded;
use super::{EMBEDDING, MODEL, SEGMENTATION};
use crate::error::{Error, InvalidArgument, Result};
use crate::onnx::own_folder;
use crate::process::environment;

/// Variable that names a folder of bundles.
const VARIABLE: &str = "VOICEFLOW_MODELS";
/// Folder of bundles in the working directory, and beside or above the library.
const FOLDER: &str = ".models";
/// Folders of bundles in an installation, from the folder of the library: in the Python package,
/// below a prefix, and in Debian, where libraries lie one folder deeper.
const INSTALLED: [&str; 3] = ["models", "../share/voiceflow/models", "../../share/voiceflow/models"];

/// The installed bundle that recordings are diarized with in a library without a pair of its own;
/// those of `.models`, where a project is being developed, have to be named.
pub(super) fn installed_pair() -> Option<PathBuf> {
    let name = Path::new(embedded::PAIR);
    let by_variable = environment::var(VARIABLE).map(PathBuf::from);
    let installed = own_folder().into_iter().flat_map(|own| INSTALLED.map(|place| own.join(place)));
    by_variable.into_iter().chain(installed).map(|folder| folder.join(name)).find(|folder| is_pair(folder))
}

/// The folder that the name or path of a bundle stands for.
///
/// # Errors
/// [`Error::InvalidArgument`] with the places that were looked at.
pub(super) fn find_folder(name: &Path) -> Result<PathBuf> {
    let elevated = environment::elevated();
    let mut places = Vec::new();
    let mut own = None;
    if name.components().count() == 1 {
        places.extend(environment::var(VARIABLE).map(|folder| PathBuf::from(folder).join(name)));
        if !elevated {
            places.extend([name.to_owned(), Path::new(FOLDER).join(name)]);
        }
        own = own_folder();
    } else {
        places.push(name.to_owned());
    }
    let own = own.as_deref();
    places.extend(own.into_iter().flat_map(|own| INSTALLED.map(|place| own.join(place).join(name))));
    let root = own.filter(|_| !elevated);
    let above = root.into_iter().flat_map(Path::ancestors).map(|folder| folder.join(FOLDER).join(name));
    places.iter().cloned().chain(above).find(|folder| is_bundle(folder)).ok_or_else(|| {
        let mut searched: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        searched.extend(root.map(|own| format!("{FOLDER} of a folder above {}", own.display())));
        let made = name == Path::new(embedded::PAIR);
        let hint = if made {
            "; this library was built without it: `pip install libvoiceflow-models-accurate` or \
             `make models-accurate` brings it"
        } else {
            ""
        };
        let reason = format!(
            "expected a folder with {MODEL}, or with {SEGMENTATION} and {EMBEDDING}, found none in {}{hint}",
            searched.join(", ")
        );
        let value = Some(name.display().to_string());
        Error::InvalidArgument(InvalidArgument { name: "bundle".into(), value, reason })
    })
}

fn is_bundle(folder: &Path) -> bool {
    folder.join(MODEL).is_file() || is_pair(folder)
}

fn is_pair(folder: &Path) -> bool {
    folder.join(SEGMENTATION).is_file() && folder.join(EMBEDDING).is_file()
}
