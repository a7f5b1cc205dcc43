//! Names of the things a configuration declares. A value of one of these types is a well-formed name.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind} name: {rule}")]
pub struct InvalidName {
    kind: &'static str,
    text: String,
    rule: &'static str,
}

fn check(kind: &'static str, text: &str, extra: &[u8]) -> Result<(), InvalidName> {
    let bytes = text.as_bytes();
    let first_ok = bytes.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let rest_ok = bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_' || extra.contains(b));
    if first_ok && rest_ok && bytes.len() <= 64 {
        return Ok(());
    }
    let rule = if extra.is_empty() {
        "1 to 64 ASCII letters, digits and `_`, not starting with a digit"
    } else {
        "1 to 64 ASCII letters, digits, `_` and `-`, not starting with a digit"
    };
    Err(InvalidName { kind, text: text.chars().take(80).collect(), rule })
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($kind:literal, $extra:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                check($kind, text, $extra)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

macro_rules! fixed {
    ($($name:ident)*) => {$(
        impl $name {
            /// A name of Tollgate's own, well formed as it is written.
            pub(crate) fn fixed(name: &'static str) -> Self {
                debug_assert!(name.parse::<Self>().is_ok());
                Self(name.into())
            }
        }
    )*};
}

fixed! { ToolName ParamName }

names! {
    /// A role of the policy, `support`.
    RoleName("role", b"-");
    /// A tool an agent may call, `query_users_by_region_v2`.
    ToolName("tool", b"-");
    /// An agent the configuration names, `support-eu`.
    AgentName("agent", b"-");
    /// A database the configuration names, `shop`.
    DatabaseName("database", b"-");
    /// A parameter of a tool, `:region` without the colon.
    ParamName("parameter", b"");
    /// A claim about the caller, `:claims.region` without the prefix.
    ClaimName("claim", b"");
}
