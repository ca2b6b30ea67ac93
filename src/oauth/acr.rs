//! `acr` and `amr`: what kind of proof a user gave of who they are, and by which means (OpenID Connect Core 1.0 §2, RFC 8176 §2,
//! RFC 9470 §6.1).

/// An authentication context class, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acr {
    /// A password, and nothing beside it.
    Password,
}

impl Acr {
    /// All that a login here can reach.
    pub const ALL: [Self; 1] = [Self::Password];

    /// The value on the wire. OpenID Connect Core §2: "An absolute URI or an \[RFC6711\] registered name SHOULD be used as
    /// the acr value".
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "urn:countersign:acr:password",
        }
    }

    /// RFC 8176 §2: by which means.
    #[must_use]
    pub fn amr(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
        }
    }

    /// Whether a login here can reach a class of this name.
    #[must_use]
    pub fn is_reachable(name: &str) -> bool {
        Self::ALL.into_iter().any(|known| known.as_str() == name)
    }
}
