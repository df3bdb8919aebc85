//! The registry against folders, a real moto and a real fake-gcs-server, and the program
//! `voiceflow-models` as its users run it.

mod cache;
mod command;
mod documents;
mod gates;
mod kills;
mod lies;
mod proxy;
mod servers;
mod stores;
mod support;
mod tools;
