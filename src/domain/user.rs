//! Users: a UUID as the subject, a name to sign in with, and an Argon2id hash.

use std::fmt;

use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization as _;

use crate::base::shown::{is_invisible, is_shown};
use crate::base::{Id, Timestamp};

use super::{Attributes, Person, Problem};

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

    /// The name of a new account: one that may be stored, and that nobody takes for another because of what cannot be seen in
    /// it. Names that are there keep counting, whatever is in them.
    ///
    /// # Errors
    /// As [`Self::parse`], and with characters that are not shown.
    pub fn for_new_account(typed: &str) -> Result<Self, Problem> {
        let name = Self::parse(typed)?;
        if name.0.chars().any(is_invisible) {
            return Err(Problem::new("username", "a user name has no characters that cannot be seen"));
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
    /// An e-mail address; whether it is verified, an operator says (`email_verified`).
    pub email: Option<String>,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// When the account was locked, if it is.
    pub locked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The other standard claims.
    pub person: Person,
    /// What custom claims are made of.
    pub attributes: Attributes,
    /// When anything that the claims tell was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// A user of whom nothing is known but the name to sign in with.
    #[must_use]
    pub fn new(id: Id, username: UserName, password_hash: String, now: Timestamp) -> Self {
        Self {
            id,
            username,
            display_name: None,
            email: None,
            password_hash,
            locked_at: None,
            created_at: now,
            person: Person::default(),
            attributes: Attributes::default(),
            updated_at: now,
        }
    }

    /// Applies the rules for what people read.
    ///
    /// # Errors
    /// An overlong name or address, or one with characters that cannot be seen.
    pub fn check(&self) -> Result<(), Problem> {
        self.display_name.as_deref().map_or(Ok(()), check_display_name)?;
        self.email.as_deref().map_or(Ok(()), check_email)
    }

    /// All the standard claims that there are of the user (OpenID Connect Core 1.0 §5.1), by name; without `sub`, which
    /// may be another for each client.
    #[must_use]
    pub fn claims(&self) -> Map<String, Value> {
        let mut claims = self.person.to_claims();
        claims.entry("preferred_username").or_insert_with(|| self.username.as_str().into());
        if let Some(name) = &self.display_name {
            claims.insert("name".to_owned(), name.as_str().into());
        }
        let verifiable = [("email", "email_verified"), ("phone_number", "phone_number_verified")];
        claims.extend(self.email.iter().map(|email| ("email".to_owned(), email.as_str().into())));
        for (claim, verified) in verifiable {
            if claims.contains_key(claim) {
                claims.entry(verified).or_insert(Value::Bool(false));
            } else {
                claims.remove(verified);
            }
        }
        // "Its value is a JSON number representing the number of seconds from 1970-01-01T00:00:00Z".
        claims.insert("updated_at".to_owned(), self.updated_at.0.into());
        claims
    }

    /// Sets the e-mail address. Whoever changes it has not proved that it is theirs.
    pub fn set_email(&mut self, email: Option<String>) {
        if self.email != email {
            self.person.forget_verified_email();
        }
        self.email = email;
    }

    /// Whether the user may get or keep tokens.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.locked_at.is_none()
    }
}

/// Whether this may be a name that people read.
///
/// # Errors
/// An overlong one, or one with characters that cannot be seen.
pub fn check_display_name(name: &str) -> Result<(), Problem> {
    if is_shown(name) && name.len() <= MAX_SHOWN_BYTES {
        return Ok(());
    }
    Err(Problem::new("display_name", "1 to 200 bytes, and no characters that cannot be seen"))
}

/// Whether this may be an e-mail address. Nobody is asked whether it is one.
///
/// # Errors
/// What is no address, or is too long for one.
pub fn check_email(email: &str) -> Result<(), Problem> {
    let has_both =
        email.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    // RFC 5321 §4.5.3.1.3: a path has at most 256 octets, with its angle brackets.
    if has_both && email.len() <= 254 && is_shown(email) && !email.contains(char::is_whitespace) {
        return Ok(());
    }
    Err(Problem::new("email", "an address such as alice@example.org, of at most 254 bytes"))
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
    use serde_json::json;

    use super::*;

    fn alice(now: i64) -> User {
        let id = "00000000-0000-4000-8000-000000000007".parse().unwrap();
        User::new(id, UserName::canonical("alice"), String::new(), Timestamp(now))
    }

    #[test]
    fn case_width_and_blanks_make_no_second_name() {
        let name = UserName::canonical("alice");
        for typed in ["Alice", " alice ", "ＡＬＩＣＥ", "ALICE\u{a0}"] {
            assert_eq!(UserName::canonical(typed), name, "{typed:?}");
        }
    }

    /// With self-registration a stranger could be taken for alice.
    #[test]
    fn a_new_name_has_nothing_in_it_that_cannot_be_seen() {
        for typed in [
            "al\u{200b}ice",
            "alice\u{2060}",
            "\u{202e}ecila",
            "a\u{ad}lice",
            "alice\u{fe0f}",
            "\u{3164}",
            "alice\u{2800}",
            "al\u{1680}ice",
            "alice\u{1d159}",
            "alice\u{13441}",
        ] {
            assert!(UserName::for_new_account(typed).is_err(), "{typed:?}");
        }
        for typed in ["Zoë", "山田", "o'hara jr.", "alice@example.org"] {
            assert!(UserName::for_new_account(typed).is_ok(), "{typed:?}");
        }
    }

    #[test]
    fn a_shown_name_has_nothing_in_it_that_cannot_be_seen() {
        let user = |name: &str| User { display_name: Some(name.to_owned()), ..alice(0) };
        for name in ["Zoë", "می\u{200c}خواهم", "Ada 👩\u{200d}💻"] {
            assert!(user(name).check().is_ok(), "{name:?}");
        }
        for name in ["", " ", "\u{200b}", "\u{202e}ecilA", "Al\u{ad}ice", "A\nB", &"a".repeat(201)] {
            assert_eq!(user(name).check().unwrap_err().field, "display_name", "{name:?}");
        }
    }

    /// RFC 5321 §4.5.3.1.3: "The maximum total length of a reverse-path or forward-path is 256 octets (including the
    /// punctuation and element separators)."
    #[test]
    fn an_address_for_mail_has_an_at_sign_and_at_most_254_bytes() {
        let user = |email: &str| User { email: Some(email.to_owned()), ..alice(0) };
        let long = format!("{}@example.org", "a".repeat(242));
        assert_eq!(long.len(), 254);
        assert!(user(&long).check().is_ok() && user("alice@example.org").check().is_ok());
        let overlong = format!("a{long}");
        let halves = ["alice", "@", "alice@", "@example.org"];
        for refused in
            [&overlong, "a b@example.org", "a@b\r\n", "a@exa\u{200b}mple.org"].into_iter().chain(halves)
        {
            assert_eq!(user(refused).check().unwrap_err().field, "email", "{refused:?}");
        }
    }

    /// OpenID Connect Core 1.0 §5.1: `updated_at` is a number, `email_verified` a boolean, the address an object.
    #[test]
    fn the_claims_are_all_that_is_known_and_nothing_that_is_not() {
        let mut user = alice(7);
        let bare = json!({ "preferred_username": "alice", "updated_at": 7 });
        assert_eq!(Value::Object(user.claims()), bare);
        user.person.set("email_verified", "true").unwrap();
        assert_eq!(Value::Object(user.claims()), bare, "there is no address that could be verified");
        user.set_email(Some("alice@example.org".to_owned()));
        user.display_name = Some("Alice".to_owned());
        user.person.set("preferred_username", "al").unwrap();
        user.person.set("address.country", "DE").unwrap();
        assert_eq!(
            Value::Object(user.claims()),
            json!({
                "preferred_username": "al", "name": "Alice", "email": "alice@example.org", "email_verified": false,
                "address": { "country": "DE" }, "updated_at": 7,
            })
        );
        user.person.set("email_verified", "true").unwrap();
        assert_eq!(user.claims()["email_verified"], true);
        user.set_email(Some("alice@example.org".to_owned()));
        assert_eq!(user.claims()["email_verified"], true, "the same address again");
        user.set_email(Some("al@example.org".to_owned()));
        assert_eq!(user.claims()["email_verified"], false);
    }
}
