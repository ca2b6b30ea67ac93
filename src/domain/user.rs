//! Users: a UUID as the subject, a name to sign in with, and an Argon2id hash.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use crate::base::{Id, Timestamp};

use super::Problem;

/// The longest user name, in bytes.
pub const MAX_USERNAME_BYTES: usize = 256;
/// The longest shown name, in bytes.
const MAX_SHOWN_BYTES: usize = 200;
/// The shortest password in characters (NIST SP 800-63B §3.1.1.2 asks for eight at least).
pub const MIN_PASSWORD_CHARS: usize = 8;
/// The longest password, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// A name to sign in with, in its canonical form: NFKC, lower case, blanks at the ends cut off. What a person types and
/// what a throttle counts go through the same form, so that case and look-alikes open no second door.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    /// The canonical form of what was typed, whether or not such a user exists.
    #[must_use]
    pub fn canonical(typed: &str) -> Self {
        let folded: String = typed.nfkc().collect::<String>().to_lowercase().nfkc().collect();
        Self(folded.trim().to_owned())
    }

    /// A name that may be stored.
    ///
    /// # Errors
    /// Empty, overlong, or with control characters.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let name = Self::canonical(typed);
        if name.0.is_empty() || name.0.len() > MAX_USERNAME_BYTES || name.0.chars().any(char::is_control) {
            return Err(Problem::new("username", "a user name has 1 to 256 bytes and no control characters"));
        }
        Ok(name)
    }

    /// The canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `sub`: never a name, never used twice.
    pub id: Id,
    /// The name to sign in with.
    pub username: UserName,
    /// The name that people read.
    pub display_name: Option<String>,
    /// An e-mail address, not verified by this server.
    pub email: Option<String>,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// When the account was locked, if it is.
    pub locked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl User {
    /// Applies the rules for what people read.
    ///
    /// # Errors
    /// An overlong name or address, or one with control characters.
    pub fn check(&self) -> Result<(), Problem> {
        let shown = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
        if self.display_name.as_deref().is_some_and(|name| !shown(name) || name.len() > MAX_SHOWN_BYTES) {
            return Err(Problem::new("display_name", "1 to 200 bytes and no control characters"));
        }
        // RFC 5321 §4.5.3.1.3: a path has at most 256 octets, with its angle brackets.
        let address =
            |text: &str| shown(text) && text.len() <= 254 && text.contains('@') && !text.contains(' ');
        if self.email.as_deref().is_some_and(|email| !address(email)) {
            return Err(Problem::new("email", "an address such as alice@example.org, of at most 254 bytes"));
        }
        Ok(())
    }

    /// The standard claims (OpenID Connect Core 1.0 §5.1) that the user has, by name; `sub` is not among them.
    #[must_use]
    pub fn claims(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut claims = serde_json::Map::new();
        claims.insert("preferred_username".to_owned(), self.username.as_str().into());
        if let Some(name) = &self.display_name {
            claims.insert("name".to_owned(), name.as_str().into());
        }
        if let Some(email) = &self.email {
            claims.insert("email".to_owned(), email.as_str().into());
            // This server has not checked that the address is the user's.
            claims.insert("email_verified".to_owned(), false.into());
        }
        claims
    }

    /// Whether the user may get or keep tokens.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.locked_at.is_none()
    }
}

/// Whether a new password may be taken.
///
/// # Errors
/// Too short or too long; no other rule (NIST SP 800-63B §3.1.1.2: "SHALL NOT impose other composition rules").
pub fn check_password(password: &str) -> Result<(), Problem> {
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(Problem::new("password", "at least 8 characters"));
    }
    if password.len() > MAX_PASSWORD_BYTES || password.contains('\0') {
        return Err(Problem::new("password", "at most 1024 bytes and no NUL"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_width_and_blanks_make_no_second_name() {
        let name = UserName::canonical("alice");
        for typed in ["Alice", " alice ", "ＡＬＩＣＥ", "ALICE\u{a0}"] {
            assert_eq!(UserName::canonical(typed), name, "{typed:?}");
        }
    }

    /// RFC 5321 §4.5.3.1.3: "The maximum total length of a reverse-path or forward-path is 256 octets (including the
    /// punctuation and element separators)."
    #[test]
    fn an_address_for_mail_has_an_at_sign_and_at_most_254_bytes() {
        let user = |email: &str| User {
            id: "00000000-0000-4000-8000-000000000007".parse().unwrap(),
            username: UserName::canonical("alice"),
            display_name: None,
            email: Some(email.to_owned()),
            password_hash: String::new(),
            locked_at: None,
            created_at: Timestamp(0),
        };
        let long = format!("{}@example.org", "a".repeat(242));
        assert_eq!(long.len(), 254);
        assert!(user(&long).check().is_ok() && user("alice@example.org").check().is_ok());
        for refused in
            [format!("a{long}"), "alice".to_owned(), "a b@example.org".to_owned(), "a@b\r\n".to_owned()]
        {
            assert_eq!(user(&refused).check().unwrap_err().field, "email", "{refused:?}");
        }
    }
}
