//! Who is enrolled, in the order of enrolment, and where each name stands. A name is looked up
//! without a walk over the others, so that enrolling many takes time in proportion to their number.

use std::collections::HashMap;

use super::Enrolled;
use crate::error::{Error, Result};
use crate::memory;

/// What the memory of the voices is for, in errors.
const GALLERY: &str = "gallery";

/// The known voices of a gallery, each name once.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    voices: Vec<Enrolled>,
    /// The ticket of each voice: rising, so that a removal changes nobody else's.
    tickets: Vec<u64>,
    /// The ticket of each name.
    names: HashMap<String, u64>,
    next_ticket: u64,
}

impl Roster {
    /// The voices in their order.
    pub(super) fn voices(&self) -> &[Enrolled] {
        &self.voices
    }

    /// Where the voice of `name` stands.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        let ticket = self.names.get(name)?;
        self.tickets.binary_search(ticket).ok()
    }

    /// Puts `voice` in the place of that of the same name, or behind the others.
    ///
    /// # Errors
    /// [`Error::Memory`]; the voices are as before.
    pub(super) fn put(&mut self, voice: Enrolled) -> Result<()> {
        let position = self.position(&voice.name);
        match position.and_then(|position| self.voices.get_mut(position)) {
            Some(known) => *known = voice,
            None => {
                memory::reserve(GALLERY, &mut self.voices, 1)?;
                memory::reserve(GALLERY, &mut self.tickets, 1)?;
                let no_room = |_| Error::Memory { what: GALLERY, bytes: size_of_val(&*self.voices) };
                self.names.try_reserve(1).map_err(no_room)?;
                self.names.insert(voice.name.clone(), self.next_ticket);
                self.tickets.push(self.next_ticket);
                self.next_ticket += 1;
                self.voices.push(voice);
            }
        }
        Ok(())
    }

    /// Gives the voice of `name` another name, which nobody has; it stays where it is. `false`
    /// where there is no such voice.
    ///
    /// # Errors
    /// [`Error::Memory`]; the voices are as before.
    pub(super) fn rename(&mut self, name: &str, new_name: &str) -> Result<bool> {
        let position = self.position(name);
        let Some(voice) = position.and_then(|position| self.voices.get_mut(position)) else {
            return Ok(false);
        };
        self.names.try_reserve(1).map_err(|_| Error::Memory { what: GALLERY, bytes: new_name.len() })?;
        new_name.clone_into(&mut voice.name);
        if let Some(ticket) = self.names.remove(name) {
            self.names.insert(new_name.to_owned(), ticket);
        }
        Ok(true)
    }

    /// Takes out the voice of `name`; those behind move up by one. `false` where there is none.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let Some(position) = self.position(name) else { return false };
        self.names.remove(name);
        self.tickets.remove(position);
        self.voices.remove(position);
        true
    }
}

/// The same voices in the same order, however they came there.
impl PartialEq for Roster {
    fn eq(&self, other: &Self) -> bool {
        self.voices == other.voices
    }
}

/// Takes `voices` in their order.
///
/// # Errors
/// [`Error::Memory`].
pub(super) fn of(voices: impl Iterator<Item = Enrolled>) -> Result<Roster> {
    let mut roster = Roster::default();
    for voice in voices {
        roster.put(voice)?;
    }
    Ok(roster)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(name: &str, speech_s: f64) -> Enrolled {
        Enrolled { name: name.to_owned(), speech_s, recordings: 1, agreement: 1.0, embedding: vec![1.0] }
    }

    /// Beside a plain list, over a thousand random steps.
    #[test]
    fn names_are_where_a_plain_list_has_them() {
        let (mut roster, mut list) = (Roster::default(), Vec::<Enrolled>::new());
        let mut state = 7_u32;
        for step in 0..1_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let name = format!("p{}", (state >> 8) % 40);
            let known = list.iter().position(|voice| voice.name == name);
            assert_eq!(roster.position(&name), known, "step {step}");
            let new_name = format!("q{step}");
            if state >> 30 == 0 {
                assert_eq!(roster.remove(&name), known.is_some());
                known.map(|position| list.remove(position));
            } else if state >> 30 == 1 {
                assert_eq!(roster.rename(&name, &new_name).unwrap(), known.is_some());
                if let Some(position) = known {
                    list[position].name = new_name.clone();
                    assert_eq!((roster.position(&name), roster.position(&new_name)), (None, known));
                }
            } else {
                let new = voice(&name, f64::from(step));
                roster.put(new.clone()).unwrap();
                match known {
                    Some(position) => list[position] = new,
                    None => list.push(new),
                }
            }
            assert_eq!(roster.voices(), list);
        }
        assert_eq!(roster, of(list.into_iter()).unwrap());
    }
}
