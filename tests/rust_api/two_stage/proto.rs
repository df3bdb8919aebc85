//! Changes to an ONNX file, made in its protobuf bytes.

/// A field with a length: its number, where it starts, where its content starts and where it ends.
type Field = (u64, usize, usize, usize);

fn varint(bytes: &[u8], at: &mut usize) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn encoded(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The fields of a message; those that are numbers have no content.
fn fields(message: &[u8]) -> Vec<Field> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < message.len() {
        let start = at;
        let key = varint(message, &mut at);
        let content = match key & 7 {
            0 => {
                varint(message, &mut at);
                at
            }
            1 => at + 8,
            2 => {
                let length = varint(message, &mut at) as usize;
                at += length;
                at - length
            }
            5 => at + 4,
            other => panic!("wire type {other}"),
        };
        at = at.max(content);
        found.push((key >> 3, start, content, at));
    }
    found
}

fn field(number: u64, content: &[u8]) -> Vec<u8> {
    [encoded(number << 3 | 2), encoded(content.len() as u64), content.to_vec()].concat()
}

/// The message with the contents of fields of `number` put through `change`; `None` drops the
/// field.
fn changed(message: &[u8], number: u64, mut change: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for (own, start, content, end) in fields(message) {
        match own == number {
            true => out.extend(
                change(&message[content..end]).map(|content| field(number, &content)).unwrap_or_default(),
            ),
            false => out.extend(&message[start..end]),
        }
    }
    out
}

fn text(message: &[u8], number: u64) -> String {
    let found = fields(message).into_iter().find(|(own, ..)| *own == number);
    found.map_or_else(String::new, |(_, _, from, to)| String::from_utf8(message[from..to].to_vec()).unwrap())
}

/// The file with the metadata `key` set to `value`, or without it.
pub fn with_metadata(model: &[u8], key: &str, value: Option<&str>) -> Vec<u8> {
    const METADATA: u64 = 14;
    let keep = |entry: &[u8]| (text(entry, 1) != key).then(|| entry.to_vec());
    let mut model = changed(model, METADATA, keep);
    if let Some(value) = value {
        let entry = [field(1, key.as_bytes()), field(2, value.as_bytes())].concat();
        model.extend(field(METADATA, &entry));
    }
    model
}

/// The file with a tensor of another name, wherever it is used.
pub fn with_renamed(model: &[u8], from: &str, to: &str) -> Vec<u8> {
    let rename = |name: &[u8]| Some(if name == from.as_bytes() { to.as_bytes() } else { name }.to_vec());
    changed(model, 7, |graph| {
        // Nodes name their inputs and outputs, the graph's own have a name.
        let mut graph = changed(graph, 1, |node| Some(changed(&changed(node, 1, rename), 2, rename)));
        for number in [11, 12] {
            graph = changed(&graph, number, |value| Some(changed(value, 1, rename)));
        }
        Some(graph)
    })
}

/// The file whose graph input `name` says another fixed size for the axis `axis`.
pub fn with_input_size(model: &[u8], name: &str, axis: usize, size: u64) -> Vec<u8> {
    changed(model, 7, |graph| {
        Some(changed(graph, 11, |value| {
            if text(value, 1) != name {
                return Some(value.to_vec());
            }
            let mut place = 0;
            let dimension = |dimension: &[u8]| {
                place += 1;
                Some(if place == axis + 1 { [vec![8], encoded(size)].concat() } else { dimension.to_vec() })
            };
            let mut dimension = Some(dimension);
            Some(changed(value, 2, |kind| {
                Some(changed(kind, 1, |tensor| {
                    Some(changed(tensor, 2, |shape| {
                        let dimension = dimension.take().unwrap();
                        Some(changed(shape, 1, dimension))
                    }))
                }))
            }))
        }))
    })
}
