//! Galleries of known voices on disk, a folder for each tenant: no name that a client gives reaches
//! another tenant's, or anything else.

mod folder;
mod known;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use voiceflow::Error;
use voiceflow::gallery::{Enrolled, Gallery, Voice};
use voiceflow::model::ModelInfo;

use crate::auth::Tenant;
use crate::config;
use folder::{Folder, Stamp};

#[cfg(test)]
pub use known::Identified;
pub use known::{Answered, Known};

/// Why nothing was done with a gallery.
#[derive(Debug)]
pub enum Refusal {
    /// No folder is configured.
    Off,
    /// A name that no gallery can have.
    GalleryName,
    /// A gallery that is not there.
    NoGallery,
    /// A voice that is not in the gallery.
    NoVoice,
    /// The tenant has as many galleries as it may.
    GalleriesFull(usize),
    /// The gallery has as many voices as it may.
    VoicesFull(usize),
    /// Another voice has the new name.
    Taken,
    /// The voices were made by another model; both are named.
    OtherModel(String),
    /// The library or the system says why.
    Library(Error),
}

impl Refusal {
    /// Why voices cannot be compared with those of a model.
    pub fn of_model(error: Error) -> Self {
        match error {
            Error::Gallery(text) => Refusal::OtherModel(text),
            error => Refusal::Library(error),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Library(error)
    }
}

/// What a recording is to a voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Enrolment {
    /// All that is known of it.
    Whole,
    /// One more.
    Another,
}

/// What a change of models means to the galleries.
#[derive(Debug, Default)]
pub struct Orphans {
    /// Galleries that would be left without a model.
    pub count: usize,
    /// Why of others nobody knows.
    pub unread: Vec<Error>,
}

/// The galleries of all tenants.
pub struct Voices {
    root: Option<PathBuf>,
    most_galleries: usize,
    most_voices: usize,
    /// What requests and streams hold at the moment, so that many hold it once.
    held: Mutex<HashMap<PathBuf, (Stamp, Weak<Gallery>)>>,
}

impl Voices {
    /// Those below the configured folder, which is made where it is not there.
    ///
    /// # Errors
    /// The system's reason, with the folder.
    pub fn new(config: &config::Voices) -> Result<Self, String> {
        if let Some(root) = &config.folder {
            folder::make(root).map_err(|error| format!("voices.folder: {}: {error}", root.display()))?;
        }
        let config::Voices { folder, galleries, voices } = config;
        let (most_galleries, most_voices) = (*galleries, *voices);
        Ok(Self { root: folder.clone(), most_galleries, most_voices, held: Mutex::default() })
    }

    /// Refuses what cannot be the name of a gallery, before anything is uploaded for it.
    ///
    /// # Errors
    /// [`Refusal::Off`], [`Refusal::GalleryName`].
    pub fn check(&self, gallery: &str) -> Result<(), Refusal> {
        self.root.as_ref().ok_or(Refusal::Off)?;
        if folder::is_name(gallery) { Ok(()) } else { Err(Refusal::GalleryName) }
    }

    /// The names of a tenant's galleries, sorted; none where there is no folder.
    ///
    /// # Errors
    /// [`Refusal::Library`].
    pub fn galleries(&self, tenant: &Tenant) -> Result<Vec<String>, Refusal> {
        match self.folder(tenant) {
            Ok(folder) => Ok(folder.names()?),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// A gallery, whatever its model.
    ///
    /// # Errors
    /// Why it is not had.
    pub fn read(&self, tenant: &Tenant, gallery: &str) -> Result<Arc<Gallery>, Refusal> {
        self.check(gallery)?;
        let path = self.folder(tenant)?.file(gallery);
        let stamp = Stamp::of(&path)?;
        let held =
            self.held.lock().get(&path).filter(|(of, _)| *of == stamp).and_then(|(_, it)| it.upgrade());
        if let Some(gallery) = held {
            return Ok(gallery);
        }
        let read = Arc::new(read(&path)?);
        let mut held = self.held.lock();
        held.retain(|_, (_, gallery)| gallery.strong_count() > 0);
        held.insert(path, (stamp, Arc::downgrade(&read)));
        Ok(read)
    }

    /// Enrols a voice, in a gallery that is made where it is not there. Gives it as it is by now,
    /// and whether it is new.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub fn enrol(
        &self,
        tenant: &Tenant,
        (gallery, name): (&str, &str),
        voice: &Voice,
        enrolment: Enrolment,
        model: &ModelInfo,
    ) -> Result<(Enrolled, bool), Refusal> {
        self.check(gallery)?;
        let folder = self.folder(tenant)?;
        folder.make()?;
        let _locked = folder.lock()?;
        let path = folder.file(gallery);
        let mut known = match read(&path) {
            Err(Refusal::NoGallery) => {
                if folder.names()?.len() >= self.most_galleries {
                    return Err(Refusal::GalleriesFull(self.most_galleries));
                }
                Gallery::new(model)
            }
            known => known?,
        };
        check_model(&known, model)?;
        let is_new = known.voice(name).is_none();
        if is_new && known.voices().len() >= self.most_voices {
            return Err(Refusal::VoicesFull(self.most_voices));
        }
        if enrolment == Enrolment::Whole && !is_new {
            known.remove(name)?;
        }
        known.enroll(name, voice)?;
        known.save(&path)?;
        let enrolled = known.voice(name).cloned().ok_or(Refusal::NoVoice)?;
        Ok((enrolled, is_new))
    }

    /// Gives a voice another name.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub fn rename(
        &self,
        tenant: &Tenant,
        (gallery, name): (&str, &str),
        new_name: &str,
    ) -> Result<Enrolled, Refusal> {
        Gallery::check_name(new_name)?;
        self.edit(tenant, gallery, name, |known| {
            if new_name != name && known.voice(new_name).is_some() {
                return Err(Refusal::Taken);
            }
            known.rename(name, new_name)?;
            known.voice(new_name).cloned().ok_or(Refusal::NoVoice)
        })
    }

    /// Removes a voice.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub fn remove(&self, tenant: &Tenant, gallery: &str, name: &str) -> Result<(), Refusal> {
        self.edit(tenant, gallery, name, |known| Ok(known.remove(name)?))
    }

    /// Removes a gallery with all its voices.
    ///
    /// # Errors
    /// Why it is still there.
    pub fn remove_gallery(&self, tenant: &Tenant, gallery: &str) -> Result<(), Refusal> {
        self.check(gallery)?;
        let folder = self.folder(tenant)?;
        let _locked = folder.lock()?;
        folder.remove(gallery)
    }

    /// Changes a gallery that has `name`.
    fn edit<T>(
        &self,
        tenant: &Tenant,
        gallery: &str,
        name: &str,
        change: impl FnOnce(&mut Gallery) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.check(gallery)?;
        let folder = self.folder(tenant)?;
        let _locked = folder.lock()?;
        let path = folder.file(gallery);
        let mut known = read(&path)?;
        known.voice(name).ok_or(Refusal::NoVoice)?;
        let changed = change(&mut known)?;
        known.save(&path)?;
        Ok(changed)
    }

    /// Galleries of all tenants that are of a model of `old`, and of none of `after`.
    pub fn orphaned(&self, old: &[&ModelInfo], after: &[&ModelInfo]) -> Orphans {
        let mut orphans = Orphans::default();
        let Some(root) = &self.root else { return orphans };
        for file in folder::all_files(root) {
            match file.and_then(Gallery::read) {
                Ok(gallery) => {
                    let is_of =
                        |models: &[&ModelInfo]| models.iter().any(|it| gallery.check_model(it).is_ok());
                    orphans.count += usize::from(is_of(old) && !is_of(after));
                }
                // Removed meanwhile.
                Err(Error::NotFound(_)) => {}
                Err(error) => orphans.unread.push(error),
            }
        }
        orphans
    }

    fn folder(&self, tenant: &Tenant) -> Result<Folder, Refusal> {
        let root = self.root.as_ref().ok_or(Refusal::Off)?;
        Ok(Folder::of(root, tenant.name()))
    }
}

fn read(path: &Path) -> Result<Gallery, Refusal> {
    Gallery::read(path).map_err(|error| match error {
        Error::NotFound(_) => Refusal::NoGallery,
        error => Refusal::Library(error),
    })
}

fn check_model(gallery: &Gallery, model: &ModelInfo) -> Result<(), Refusal> {
    gallery.check_model(model).map_err(Refusal::of_model)
}
