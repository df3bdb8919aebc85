//! The layers of the configuration, put over each other as TOML before they are read.

use std::ffi::OsString;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::Arguments;

/// What variables of the configuration begin with.
const PREFIX: &str = "VOICEFLOW_SERVER_";

/// File, environment, flags.
pub(super) fn layered<T: DeserializeOwned>(
    arguments: &Arguments,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<T, String> {
    let mut table = match &arguments.config {
        Some(path) => read(path)?,
        None => Table::new(),
    };
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let value = value.to_str().ok_or_else(|| format!("{name}: expected UTF-8"))?;
        let key = name.trim_start_matches(PREFIX).to_lowercase();
        let (section, key) =
            key.split_once("__").ok_or_else(|| format!("{name}: expected {PREFIX}SECTION__KEY"))?;
        put(&mut table, section, key, value)?;
    }
    for text in &arguments.set {
        let parts = text.split_once('=').and_then(|(key, value)| Some((key.split_once('.')?, value)));
        let ((section, key), value) =
            parts.ok_or_else(|| format!("--set {text}: expected SECTION.KEY=VALUE"))?;
        put(&mut table, section, key, value)?;
    }
    let flags = [("address", &arguments.listen), ("admin", &arguments.admin_listen)];
    for (key, address) in flags {
        if let Some(address) = address {
            section_of(&mut table, "listen")?.insert(key.to_owned(), Value::String(address.clone()));
        }
    }
    if arguments.insecure_listen {
        section_of(&mut table, "listen")?.insert("insecure".to_owned(), Value::Boolean(true));
    }
    // By way of the text, whose errors show the line.
    let text = toml::to_string(&table).map_err(|error| error.to_string())?;
    toml::from_str(&text).map_err(|error| format!("configuration: {error}"))
}

fn read(path: &Path) -> Result<Table, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
    text.parse().map_err(|error: toml::de::Error| named(&error))
}

/// Sets one key; what is no TOML value is a string.
fn put(table: &mut Table, section: &str, key: &str, value: &str) -> Result<(), String> {
    let parsed = format!("value = {value}").parse::<Table>().ok();
    let single = parsed.filter(|parsed| parsed.len() == 1).and_then(|mut parsed| parsed.remove("value"));
    let value = single.unwrap_or_else(|| Value::String(value.to_owned()));
    section_of(table, section)?.insert(key.to_owned(), value);
    Ok(())
}

fn section_of<'a>(table: &'a mut Table, section: &str) -> Result<&'a mut Table, String> {
    let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    entry.as_table_mut().ok_or_else(|| format!("{section}: expected a section, got a value"))
}
