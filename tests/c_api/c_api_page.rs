//! docs/C_API.md is include/voiceflow.h as a page.

use std::fmt::Write;
use std::fs;

use crate::support::root;

/// Where a declaration stands on the page: the first group whose prefix its name has.
const GROUPS: [(&str, &[&str]); 10] = [
    ("Options", &["vf_options"]),
    ("Sessions", &["vf_session"]),
    ("Diarizers", &["vf_diarizer"]),
    ("Results", &["vf_diarization"]),
    ("Streams", &["vf_stream"]),
    ("Known voices", &["vf_gallery"]),
    ("Conditions of a call", &["vf_call", "vf_cancel"]),
    ("Log", &["vf_set_log_callback"]),
    ("Errors", &["vf_status", "vf_last_error"]),
    ("Versions", &["vf_version", "vf_abi_version"]),
];

/// Something that the header declares, with the text above it.
struct Declaration {
    name: String,
    text: String,
    code: String,
    is_function: bool,
}

/// The text of a comment, without the stars.
fn comment_text(comment: &str) -> String {
    let lines = comment.lines().map(|line| line.trim_start().trim_start_matches('*'));
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect();
    lines.join("\n").trim().to_owned()
}

/// The code from the start of `rest` to the end of its declaration.
fn code_of(rest: &str) -> &str {
    let rest = rest.trim_start();
    let end = if rest.starts_with('#') {
        rest.find('\n')
    } else if rest.lines().next().is_some_and(|line| line.ends_with('{')) {
        rest.find("\n}").and_then(|brace| Some(brace + rest[brace..].find(';')? + 1))
    } else {
        rest.find(';').map(|end| end + 1)
    };
    &rest[..end.unwrap()]
}

fn declarations(header: &str) -> Vec<Declaration> {
    let mut found = Vec::new();
    let mut rest = header;
    while let Some((_, after)) = rest.split_once("\n/**") {
        let (comment, after) = after.split_once("*/").unwrap();
        let code = code_of(after);
        let first = code.lines().next().unwrap();
        let is_function = !first.starts_with("typedef") && !first.starts_with('#');
        let words = |text: &str| {
            let names = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            names.filter(|word| word.starts_with("vf_") || word.starts_with("VF_")).map(str::to_owned).next()
        };
        let name = if is_function {
            first.split('(').next().and_then(|head| head.rsplit([' ', '*']).next()).map(str::to_owned)
        } else if first.starts_with("typedef int32_t vf_status") {
            Some("vf_status".to_owned())
        } else {
            words(first)
        };
        let (text, code) = (comment_text(comment), code.to_owned());
        found.push(Declaration { name: name.unwrap(), text, code, is_function });
        rest = &after[after.find(&found.last().unwrap().code).unwrap() + found.last().unwrap().code.len()..];
    }
    found
}

fn entry(page: &mut String, declaration: &Declaration) {
    let Declaration { name, text, code, .. } = declaration;
    write!(page, "\n### `{name}`\n\n```c\n{code}\n```\n\n{text}\n").unwrap();
}

fn group_of(name: &str) -> Option<usize> {
    GROUPS.iter().position(|(_, prefixes)| {
        prefixes.iter().any(|prefix| name == *prefix || name.starts_with(&format!("{prefix}_")))
    })
}

fn page(header: &str) -> String {
    let introduction = header.split_once("/*").unwrap().1.split_once("*/").unwrap().0;
    let introduction = comment_text(introduction)
        .replace("\nThis file is made from the sources by cbindgen; do not edit it.", "");
    let (title, introduction) = introduction.split_once('\n').unwrap();
    let all = declarations(header);
    let (functions, types): (Vec<_>, Vec<_>) = all.iter().partition(|declaration| declaration.is_function);
    let mut page = format!(
        "# The C interface\n\nMade from `include/voiceflow.h` by `make header`; do not edit it.\n\n{}\n{}\n\n## Functions\n\n",
        title,
        introduction.trim_end(),
    );
    for (number, (group, _)) in GROUPS.iter().enumerate() {
        writeln!(page, "**{group}**\n").unwrap();
        for function in functions.iter().filter(|function| group_of(&function.name) == Some(number)) {
            let paragraph = function.text.split("\n\n").next().unwrap().replace('\n', " ");
            let sentence = paragraph.split_inclusive(". ").next().unwrap().trim_end();
            writeln!(page, "- [`{0}`](#{0}): {sentence}", function.name).unwrap();
        }
        page.push('\n');
    }
    for (number, (group, _)) in GROUPS.iter().enumerate() {
        writeln!(page, "## {group}").unwrap();
        for function in functions.iter().filter(|function| group_of(&function.name) == Some(number)) {
            entry(&mut page, function);
        }
        page.push('\n');
    }
    writeln!(page, "## Types and constants").unwrap();
    for declaration in types {
        entry(&mut page, declaration);
    }
    page
}

#[test]
fn the_page_is_what_the_header_says() {
    let header = fs::read_to_string(root().join("include/voiceflow.h")).unwrap();
    let ungrouped: Vec<String> = declarations(&header)
        .into_iter()
        .filter(|declaration| declaration.is_function && group_of(&declaration.name).is_none())
        .map(|declaration| declaration.name)
        .collect();
    assert!(ungrouped.is_empty(), "in no group of the page: {ungrouped:?}");

    let (path, made) = (root().join("docs/C_API.md"), page(&header));
    if std::env::var_os("VOICEFLOW_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(made == committed, "docs/C_API.md differs from include/voiceflow.h: run `make header`");
}

#[test]
fn every_function_is_on_the_page() {
    let page = page(&fs::read_to_string(root().join("include/voiceflow.h")).unwrap());
    for (name, _, declaration) in crate::support::header_functions() {
        assert!(page.contains(&format!("\n### `{name}`\n\n```c\n{declaration};\n```\n")), "{name}");
    }
}
