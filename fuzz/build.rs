//! Makes of include/voiceflow.h what the target `c_api` needs to call every function in it: a table
//! of them with the kinds of their parameters. A function that is added to the header is fuzzed
//! without a change here, as long as its parameters are of kinds that others have.

use std::fmt::Write;
use std::{env, fs};

fn main() {
    let header = format!("{}/../include/voiceflow.h", env::var("CARGO_MANIFEST_DIR").expect("set by Cargo"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={header}");
    let text = without_comments(&fs::read_to_string(header).expect("the header"));
    let functions: Vec<Function> = text.split(';').filter_map(Function::parse).collect();
    let opaque: Vec<&str> = text.split(';').filter_map(opaque).collect();
    // Each begins a line.
    let declared = text.lines().filter(|line| line.contains("vf_") && line.contains('('));
    let declared = declared.filter(|line| !line.starts_with(' ') && !line.starts_with("typedef")).count();
    assert_eq!(
        functions.len(),
        declared,
        "functions found and declared: is the header written in another way?"
    );

    let mut code = String::from("unsafe extern \"C\" {\n");
    for Function { name, result, parameters } in &functions {
        let types: Vec<String> = parameters.iter().map(|p| format!("_: {}", p.kind.rust())).collect();
        let result = result.map_or(String::new(), |result| format!(" -> {result}"));
        writeln!(code, "    fn {name}({}){result};", types.join(", ")).expect("a text");
    }
    code.push_str("}\n\npub static FUNCTIONS: &[Function] = &[\n");
    for Function { name, result, parameters } in &functions {
        let kinds: Vec<String> = parameters.iter().map(|p| p.describe(&opaque)).collect();
        let list = if parameters.is_empty() { "_" } else { "a" };
        let arguments = parameters.iter().enumerate().map(|(at, p)| format!("a[{at}].{}()", p.kind.getter()));
        let call = format!("{name}({})", arguments.collect::<Vec<_>>().join(", "));
        let (kind, call) = match *result {
            Some("i32") => ("Status", call),
            _ => ("Other", format!("{{ {call}; 0 }}")),
        };
        writeln!(
            code,
            "    Function {{ name: \"{name}\", returns: Returns::{kind}, parameters: &[{}],\n        \
             call: |{list}| unsafe {{ {call} }} }},",
            kinds.join(", ")
        )
        .expect("a text");
    }
    code.push_str("];\n\npub const STATUSES: &[(&str, i32)] = &[\n");
    for (name, number) in text.split(['{', ',']).filter_map(status) {
        writeln!(code, "    (\"{name}\", {number}),").expect("a text");
    }
    code.push_str("];\n");
    fs::write(format!("{}/functions.rs", env::var("OUT_DIR").expect("set by Cargo")), code).expect("written");
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let mut code = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        code.push_str(part.split_once("*/").map_or("", |(_, code)| code));
    }
    code.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// `typedef struct vf_x vf_x`: the name of a type whose contents the header hides.
fn opaque(statement: &str) -> Option<&str> {
    let mut words = statement.trim().strip_prefix("typedef struct ")?.split_whitespace();
    let (first, second) = (words.next()?, words.next()?);
    (first == second && words.next().is_none()).then_some(first)
}

/// `VF_E_X = -1`, and `VF_OK = 0`.
fn status(entry: &str) -> Option<(&str, i32)> {
    let (name, number) = entry.split_once('=')?;
    let name = name.trim();
    let number = number.split('}').next()?.trim().parse().ok()?;
    (name == "VF_OK" || name.starts_with("VF_E_")).then_some((name, number))
}

struct Function<'a> {
    name: &'a str,
    /// The type in Rust; `None` for void.
    result: Option<&'static str>,
    parameters: Vec<Parameter<'a>>,
}

struct Parameter<'a> {
    name: &'a str,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Pointer { to: &'a str, constant: bool, depth: usize },
    Number(&'static str),
    Callback(&'a str),
}

impl<'a> Function<'a> {
    fn parse(statement: &'a str) -> Option<Self> {
        // A function stands after the blocks of types before it.
        let statement = statement.rsplit('{').next()?.trim();
        let (head, rest) = statement.split_once('(')?;
        let parameters = rest.strip_suffix(')')?;
        let (result, name) = head.rsplit_once([' ', '*'])?;
        if !name.starts_with("vf_") || result.contains("typedef") {
            return None;
        }
        let result = match result.trim() {
            "void" => None,
            "vf_status" => Some("i32"),
            "uint32_t" => Some("u32"),
            "size_t" => Some("usize"),
            "const char" => Some("*const std::ffi::c_char"),
            other => panic!("{name}: a result of the kind {other:?} is new: say here what it is"),
        };
        let parameters = parameters.split(',').map(str::trim).filter(|p| !matches!(*p, "void" | ""));
        Some(Self { name, result, parameters: parameters.map(Parameter::parse).collect() })
    }
}

impl<'a> Parameter<'a> {
    fn parse(text: &'a str) -> Self {
        let (kind, name) = text.rsplit_once([' ', '*']).expect("a type and a name");
        let depth = text.matches('*').count();
        let constant = kind.starts_with("const ");
        let words = kind.trim_end_matches('*').trim();
        let to = words.split_whitespace().next_back().expect("a type").trim_end_matches('*');
        let kind = match to {
            _ if depth > 0 => Kind::Pointer { to, constant, depth },
            "size_t" => Kind::Number("usize"),
            "uint64_t" => Kind::Number("u64"),
            "uint32_t" => Kind::Number("u32"),
            "int32_t" | "vf_status" => Kind::Number("i32"),
            "float" => Kind::Number("f32"),
            "double" => Kind::Number("f64"),
            _ if to.ends_with("_fn") => Kind::Callback(to),
            other => panic!("{text}: a parameter of the kind {other:?} is new: say here what it is"),
        };
        Self { name, kind }
    }

    /// The parameter as an expression of the type that the target's table has.
    fn describe(&self, opaque: &[&str]) -> String {
        let name = self.name;
        let kind = match &self.kind {
            Kind::Number(number) => format!("Kind::Number(Number::{})", number.to_uppercase()),
            Kind::Callback(of) => format!("Kind::Callback(\"{of}\")"),
            Kind::Pointer { to, depth: 2, .. } => format!("Kind::NewHandle(\"{to}\")"),
            Kind::Pointer { to, .. } if opaque.contains(to) => format!("Kind::Handle(\"{to}\")"),
            Kind::Pointer { to: "void", .. } => "Kind::UserData".to_owned(),
            Kind::Pointer { to: "char", constant: true, .. } => "Kind::Text".to_owned(),
            Kind::Pointer { to, constant, .. } => {
                let size = match *to {
                    "char" | "uint8_t" => 1,
                    "int16_t" => 2,
                    "int32_t" | "uint32_t" | "float" => 4,
                    "size_t" | "uint64_t" | "double" => 8,
                    "vf_segment" => 32,
                    "vf_model_version" => 288,
                    _ => 0,
                };
                let way = if *constant { "In" } else { "Out" };
                format!("Kind::{way}({size})")
            }
        };
        format!("(\"{name}\", {kind})")
    }
}

impl Kind<'_> {
    fn rust(&self) -> &'static str {
        match self {
            Kind::Number(number) => number,
            Kind::Pointer { .. } => "*mut std::ffi::c_void",
            Kind::Callback("vf_log_fn") => "Option<LogFn>",
            Kind::Callback(other) => panic!("expected no parameter of the type {other}"),
        }
    }

    fn getter(&self) -> &'static str {
        match self {
            Kind::Number(number) => number,
            Kind::Pointer { .. } => "pointer",
            Kind::Callback(_) => "log",
        }
    }
}
