//! Numbers of the header's enums that come in, which are looked up by their names.

use super::status::Failure;

/// What `number` means among `known`, the numbers of an enum in ascending order, each with its
/// meaning. Any other number is refused in the name of `parameter`.
pub(super) fn choice<T: Copy>(parameter: &str, number: i32, known: &[(i32, T)]) -> Result<T, Failure> {
    if let Some((_, meaning)) = known.iter().find(|(known, _)| *known == number) {
        return Ok(*meaning);
    }
    let (least, most) =
        (known.first().map_or(0, |(least, _)| *least), known.last().map_or(0, |(most, _)| *most));
    let between = if known.len() > 2 { "to" } else { "or" };
    Err(Failure::invalid(format!("{parameter}: expected {least} {between} {most}, got {number}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_looked_up_and_others_refused_with_what_there_is() {
        let two = [(0, "no"), (1, "yes")];
        assert_eq!(choice("answer", 1, &two).unwrap(), "yes");
        assert_eq!(choice("answer", 2, &two).unwrap_err().text, "answer: expected 0 or 1, got 2");
        let three = [(1, 'a'), (2, 'b'), (3, 'c')];
        assert_eq!(choice("letter", -1, &three).unwrap_err().text, "letter: expected 1 to 3, got -1");
    }
}
