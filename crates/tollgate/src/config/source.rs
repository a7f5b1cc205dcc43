//! The files a configuration was read from, and places in them. Never holds what a secret expands to.

use std::fmt;

/// A place in one of the sources. Lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which source, by its number.
    pub source: u32,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// How many characters of that line are meant; at least one is shown.
    pub length: u32,
}

/// One file as written.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path as the operator would type it.
    pub name: String,
    /// Its text, with nothing expanded.
    pub text: String,
}

/// Every file of a configuration, the main one first.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Adds a file and gives its number.
    pub fn add(&mut self, name: String, text: String) -> u32 {
        self.0.push(Source { name, text });
        u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX)
    }

    /// The file of that number.
    pub fn get(&self, number: u32) -> Option<&Source> {
        self.0.get(usize::try_from(number).ok()?)
    }

    /// Every file.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// `tollgate.yaml:14:9`.
    pub fn locate(&self, place: Place) -> String {
        let name = self.get(place.source).map_or("?", |s| s.name.as_str());
        format!("{name}:{}:{}", place.line, place.column)
    }

    /// The line of a place as written, a password in a URL blotted out.
    pub fn line(&self, place: Place) -> Option<String> {
        let index = usize::try_from(place.line).ok()?.checked_sub(1)?;
        let line = self.get(place.source)?.text.lines().nth(index)?;
        Some(blot_keys(&blot_passwords(line)))
    }
}

/// Replaces the password of each `scheme://user:password@host` by as many stars, so that columns stay where they are.
pub fn blot_passwords(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((head, tail)) = rest.split_once("://") {
        out.push_str(head);
        out.push_str("://");
        let word = tail.split([' ', '"', '\'']).next().unwrap_or(tail);
        // The last `@` ends the user's part: a careless password may hold others, and slashes too.
        let user_part = word.rsplit_once('@').map_or("", |(user_part, _)| user_part);
        match user_part.split_once(':') {
            Some((user, password)) => {
                out.push_str(user);
                out.push(':');
                out.extend(password.chars().map(|_| '*'));
            }
            None => out.push_str(user_part),
        }
        rest = tail.strip_prefix(user_part).unwrap_or(tail);
    }
    out.push_str(rest);
    out
}

/// Replaces what looks like an API key itself, put where its hash belongs, by as many stars.
pub fn blot_keys(line: &str) -> String {
    let is_key = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    line.split_inclusive(|c| !is_key(c))
        .map(|word| match word.strip_prefix("tg_") {
            Some(key) if key.len() > 16 => {
                let stars = key.chars().map(|c| if is_key(c) { '*' } else { c });
                "tg_".chars().chain(stars).collect::<String>()
            }
            _ => word.to_owned(),
        })
        .collect()
}

/// The way to a value from the root of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Step>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a map.
    Key(String),
    /// Into a list.
    Index(usize),
}

impl Path {
    /// The root.
    pub fn root() -> Self {
        Self::default()
    }

    /// One step further, into a map.
    #[must_use]
    pub fn key(&self, key: impl fmt::Display) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.to_string()));
        Self(steps)
    }

    /// One step further, into a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Self(steps)
    }

    /// The steps that a text such as `params.region.enum[2]` or `tables["shop.users"].rows` takes from here.
    #[must_use]
    pub fn below(&self, text: &str) -> Self {
        let mut path = self.clone();
        let mut rest = text;
        while !rest.is_empty() {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let (step, after) = if let Some((quoted, after)) = rest.strip_prefix('"').and_then(|r| r.split_once('"')) {
                (Step::Key(quoted.to_owned()), after)
            } else if let Some((inside, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
                let key = || Step::Key(inside.trim_matches('"').to_owned());
                (inside.parse().map_or_else(|_| key(), Step::Index), after)
            } else {
                let (key, after) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
                (Step::Key(key.to_owned()), after)
            };
            // A text that does not go on has been read as far as it means anything.
            if after.len() >= rest.len() {
                break;
            }
            path.0.push(step);
            rest = after;
        }
        path
    }

    /// The steps from the root on.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the configuration");
        }
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') => {
                    write!(f, "{}{key}", if i == 0 { "" } else { "." })?;
                }
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}
