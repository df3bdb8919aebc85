//! The voiceflow command line.

fn main() {}
