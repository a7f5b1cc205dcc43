//! SQL text as a tree that knows which parts of it may go, so that a finding can be made small.

use super::kind::Kind;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    Seq(Vec<Node>),
    /// May be left out.
    Maybe(Box<Node>),
    /// At least one of these, with a separator between them.
    List(&'static str, Vec<Node>),
    /// An expression of a kind: may be a part of itself of the same kind, or a constant.
    Value(Kind, Box<Node>),
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Node::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Node::Text(text)
    }
}

/// One after the other.
macro_rules! sql {
    ($($part:expr),* $(,)?) => { $crate::differential::node::Node::Seq(vec![$($part.into()),*]) };
}
pub(super) use sql;

impl Node {
    pub(super) fn maybe(self) -> Self {
        Node::Maybe(Box::new(self))
    }

    pub(super) fn of(self, kind: Kind) -> Self {
        Node::Value(kind, Box::new(self))
    }

    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Node::Text(text) => out.push_str(text),
            Node::Seq(parts) => parts.iter().for_each(|part| part.write(out)),
            Node::Maybe(part) | Node::Value(_, part) => part.write(out),
            Node::List(separator, parts) => {
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        out.push_str(separator);
                    }
                    part.write(out);
                }
            }
        }
    }

    /// The same tree with one thing less, in every way, the bigger cuts first.
    pub(super) fn smaller(&self) -> Vec<Node> {
        let mut all = Vec::new();
        match self {
            Node::Text(_) => {}
            Node::Seq(parts) => within(parts, &mut all, Node::Seq),
            Node::Maybe(part) => {
                all.push(Node::Seq(Vec::new()));
                all.extend(part.smaller().into_iter().map(Node::maybe));
            }
            Node::List(separator, parts) => {
                for gone in 0..parts.len() {
                    if parts.len() > 1 {
                        let mut rest = parts.clone();
                        rest.remove(gone);
                        all.push(Node::List(separator, rest));
                    }
                }
                within(parts, &mut all, |parts| Node::List(separator, parts));
            }
            Node::Value(kind, inner) => {
                let constant = Node::from(kind.plain_constant());
                if **inner != constant {
                    all.push(constant.of(*kind));
                }
                inner.nested(*kind, &mut all);
                all.extend(inner.smaller().into_iter().map(|part| part.of(*kind)));
            }
        }
        all
    }

    /// The outermost parts of that kind.
    fn nested(&self, wanted: Kind, found: &mut Vec<Node>) {
        match self {
            Node::Text(_) => {}
            Node::Value(kind, _) if *kind == wanted => found.push(self.clone()),
            Node::Maybe(part) | Node::Value(_, part) => part.nested(wanted, found),
            Node::Seq(parts) | Node::List(_, parts) => parts.iter().for_each(|part| part.nested(wanted, found)),
        }
    }
}

fn within(parts: &[Node], all: &mut Vec<Node>, whole: impl Fn(Vec<Node>) -> Node) {
    for (at, part) in parts.iter().enumerate() {
        for smaller in part.smaller() {
            let mut changed = parts.to_vec();
            changed[at] = smaller;
            all.push(whole(changed));
        }
    }
}
