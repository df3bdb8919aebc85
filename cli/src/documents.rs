//! JSON of several recordings as one document.

use crate::exit::{Outcome, print};

/// What is printed of one recording after another.
pub struct Documents {
    /// Whether they are the items of one array.
    array: bool,
    printed: usize,
}

impl Documents {
    /// Nothing is printed yet.
    pub fn new(array: bool) -> Self {
        Self { array, printed: 0 }
    }

    /// Prints one.
    pub fn print(&mut self, text: &str) -> Outcome {
        let before = match (self.array, self.printed) {
            (false, _) => "",
            (true, 0) => "[\n",
            (true, _) => ",\n",
        };
        self.printed += 1;
        // The line break comes before the comma or the end.
        print(&format!("{before}{}", if self.array { text.trim_end() } else { text }))
    }

    /// Ends the array, also one without items: every file may have failed.
    pub fn end(&self) -> Outcome {
        match (self.array, self.printed) {
            (false, _) => Ok(()),
            (true, 0) => print("[]\n"),
            (true, _) => print("\n]\n"),
        }
    }
}
