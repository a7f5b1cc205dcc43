//! What a regular expression of MariaDB's may cost. Nothing interrupts a match there: the library looks at each place of the text, from
//! each of them as far as every repetition may reach, and its own limit counts from each place anew.
//!
//! It reads no more of a pattern than what bounds that, and what it does not know has no bound.

/// Groups of one pattern, each of which may try its alternatives again behind every other's.
const GROUPS_MAX: usize = 2;
/// The most of a repetition of a fixed number.
const FIXED_MAX: u32 = 100;

/// Places at most that a match looks at in a text of so many bytes; `None` of a pattern that has no such bound: repeated groups, back
/// references, conditions, and whatever else is not plain characters, classes, anchors, alternatives and repetitions of those.
pub(super) fn places(pattern: &str, length: u64) -> Option<u64> {
    let (mut repetitions, mut alternatives, mut groups, mut factor) = (0_u32, 1_u64, 0, 1_u64);
    let mut rest = pattern.chars().peekable();
    let mut before = None;
    while let Some(character) = rest.next() {
        match character {
            '\\' => {
                rest.next().filter(|c| !c.is_ascii_alphanumeric() || "dDwWsSbB".contains(*c))?;
            }
            '[' => class(&mut rest)?,
            '(' => {
                groups += 1;
                if groups > GROUPS_MAX || matches!(rest.peek(), Some('?' | '*')) {
                    return None;
                }
            }
            '|' => alternatives += 1,
            '*' | '+' | '?' | '{' if before == Some(')') => return None,
            '*' | '+' | '?' => repetitions += 1,
            '{' => match times(&mut rest)? {
                Times::Fixed(times) => factor = factor.saturating_mul(u64::from(times.max(1))),
                Times::Between => repetitions += 1,
            },
            _ => {}
        }
        before = Some(character);
    }
    let reach = (0..=repetitions).fold(1_u64, |reach, _| reach.saturating_mul(length.max(1)));
    Some(reach.saturating_mul(alternatives).saturating_mul(factor))
}

/// The rest of `[…]`.
fn class(rest: &mut impl Iterator<Item = char>) -> Option<()> {
    let mut first = true;
    while let Some(character) = rest.next() {
        match character {
            // The first one stands for itself, behind `^` too.
            ']' if !first => return Some(()),
            '^' if first => continue,
            '\\' => {
                rest.next()?;
            }
            // `[:alpha:]`, whose bracket does not end the class.
            '[' => {
                let mut last = rest.next()?;
                if matches!(last, ':' | '.' | '=') {
                    loop {
                        let next = rest.next()?;
                        if last == ':' && next == ']' {
                            break;
                        }
                        last = next;
                    }
                } else if last == ']' {
                    return Some(());
                }
            }
            _ => {}
        }
        first = false;
    }
    None
}

/// What stands in braces behind something.
enum Times {
    /// `{3}`
    Fixed(u32),
    /// `{1,3}`
    Between,
}

/// The rest of `{…}`.
fn times(rest: &mut impl Iterator<Item = char>) -> Option<Times> {
    let within: String = rest.take_while(|c| *c != '}').collect();
    match within.parse::<u32>() {
        Ok(times) => (times <= FIXED_MAX).then_some(Times::Fixed(times)),
        Err(_) => within.chars().all(|c| c.is_ascii_digit() || c == ',').then_some(Times::Between),
    }
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn repetitions_multiply_and_what_has_no_bound_has_none() {
        for (pattern, expected) in [
            ("abc", Some(100)),
            ("^a.*\\.", Some(10_000)),
            ("^[^@]+@[^@]+$", Some(1_000_000)),
            ("a*a*a*[bd]", Some(100_000_000)),
            ("[[:alpha:]]+]", Some(10_000)),
            ("[]*]", Some(100)),
            ("[^]*]", Some(100)),
            ("(foo|bar)", Some(200)),
            ("[0-9]{3}-[0-9]{4}", Some(1_200)),
            ("a{1,}", Some(10_000)),
            ("(a*)*", None),
            ("(a)?", None),
            ("(a){2}", None),
            ("(a|b)(c)(d)", None),
            ("(?R)", None),
            ("(*NO_JIT)a", None),
            ("(a)\\1", None),
            ("\\Qa", None),
            ("[a", None),
            ("a\\", None),
            ("a{101}", None),
            ("a{x}", None),
        ] {
            assert_eq!(places(pattern, 100), expected, "{pattern}");
        }
        assert_eq!(places(&"a?".repeat(400), 100), Some(u64::MAX));
    }
}
