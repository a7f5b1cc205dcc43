//! SQL text as a tree that knows which parts of it may go, so that a finding can be made small.

use std::collections::BTreeMap;

use tollgate_core::{
    names::{ParamName, Value},
    sql::ParamShape,
};

use super::kind::Kind;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    Seq(Vec<Node>),
    /// May be left out.
    Maybe(Box<Node>),
    /// At least one of these, with a separator between them.
    List(&'static str, Vec<Node>),
    /// A parameter, or a list of one.
    Param(Param),
    /// An expression of a kind: may be a part of itself of the same kind, or a constant.
    Value(Kind, Box<Node>),
}

/// A value that a tool is called with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) value: Value,
    /// The same as constants.
    pub(super) literal: String,
}

impl Param {
    fn shape(&self) -> ParamShape {
        if matches!(self.value, Value::Array(_)) { ParamShape::List } else { ParamShape::Single }
    }
}

/// A statement's parameters.
pub(super) type Params = BTreeMap<ParamName, (ParamShape, Value)>;

/// How parameters stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Named,
    AsConstants,
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

    /// As a tool has it.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Written::Named);
        out
    }

    /// With constants for parameters.
    pub(super) fn original(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Written::AsConstants);
        out
    }

    fn write(&self, out: &mut String, written: Written) {
        match self {
            Node::Text(text) => out.push_str(text),
            Node::Param(param) if written == Written::Named => {
                out.push(':');
                out.push_str(&param.name);
            }
            Node::Param(param) => out.push_str(&param.literal),
            Node::Seq(parts) => parts.iter().for_each(|part| part.write(out, written)),
            Node::Maybe(part) | Node::Value(_, part) => part.write(out, written),
            Node::List(separator, parts) => {
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        out.push_str(separator);
                    }
                    part.write(out, written);
                }
            }
        }
    }

    pub(super) fn params(&self) -> Params {
        let mut all = Params::new();
        self.collect(&mut all);
        all
    }

    fn collect(&self, all: &mut Params) {
        match self {
            Node::Text(_) => {}
            Node::Param(param) => {
                all.insert(param.name.parse().unwrap(), (param.shape(), param.value.clone()));
            }
            Node::Maybe(part) | Node::Value(_, part) => part.collect(all),
            Node::Seq(parts) | Node::List(_, parts) => parts.iter().for_each(|part| part.collect(all)),
        }
    }

    /// The same tree with one thing less, in every way, the bigger cuts first.
    pub(super) fn smaller(&self) -> Vec<Node> {
        let mut all = Vec::new();
        match self {
            Node::Text(_) => {}
            Node::Param(param) => all.push(Node::Text(param.literal.clone())),
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
            Node::Text(_) | Node::Param(_) => {}
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
