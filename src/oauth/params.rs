//! The parameters of a request, once parsed: each at most once, none too long, empty and unknown ones dropped.
//!
//! RFC 6749 §3.1 and §3.2: "Parameters sent without a value MUST be treated as if they were omitted from the request.
//! The authorization server MUST ignore unrecognized request parameters. Request and response parameters MUST NOT be
//! included more than once." RFC 8707 §2 lets `resource` come several times, and RFC 8693 §2.1 `audience`.

use std::collections::{BTreeMap, BTreeSet};

use super::limits::{MAX_PARAMETERS, MAX_RESOURCES, max_length};
use super::{ErrorCode, OAuthError};

/// The parameters of one request.
#[derive(Clone, Default)]
pub struct Params {
    single: BTreeMap<String, String>,
    resources: Vec<String>,
    audiences: Vec<String>,
}

impl Params {
    /// Takes the decoded pairs of a query or a form.
    ///
    /// # Errors
    /// `invalid_request` for a repeated, overlong or unprintable parameter.
    pub fn collect(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, OAuthError> {
        let (params, fault) = Self::collect_sound(pairs);
        fault.map_or(Ok(params), Err)
    }

    /// Takes the sound parameters, and says what was wrong with the first unsound one. The authorization endpoint needs
    /// both: where `client_id` and `redirect_uri` are sound, the client is told by redirect (RFC 6749 §4.1.2.1).
    #[must_use]
    pub fn collect_sound(pairs: impl IntoIterator<Item = (String, String)>) -> (Self, Option<OAuthError>) {
        Self::collect_read(pairs.into_iter().map(|(name, value)| (name, Ok(value))))
    }

    /// The same of pairs whose values may have been malformed: those are unsound.
    #[must_use]
    pub fn collect_read(
        pairs: impl IntoIterator<Item = (String, Result<String, OAuthError>)>,
    ) -> (Self, Option<OAuthError>) {
        let mut params = Self::default();
        let mut fault = None;
        let mut refused_names = BTreeSet::new();
        for (count, (name, value)) in pairs.into_iter().enumerate() {
            if count >= MAX_PARAMETERS {
                return (
                    params,
                    fault.or_else(|| Some(refused(format!("more than {MAX_PARAMETERS} parameters")))),
                );
            }
            if refused_names.contains(&name) {
                continue;
            }
            if let Err(error) = value.and_then(|value| params.add(&name, value)) {
                // Of a repeated parameter no value counts, not the third either.
                params.single.remove(&name);
                refused_names.insert(name);
                fault.get_or_insert(error);
            }
        }
        (params, fault)
    }

    fn add(&mut self, name: &str, value: String) -> Result<(), OAuthError> {
        // An unrecognized one, and one without a value, is as good as none, whatever it looks like.
        let Some(limit) = max_length(name).filter(|_| !value.is_empty()) else { return Ok(()) };
        if value.len() > limit {
            return Err(refused(format!("{name} is longer than {limit} bytes")));
        }
        // A NUL reaches no database (PostgreSQL refuses it inside text) and no page.
        if value.contains('\0') {
            return Err(refused(format!("{name} contains a NUL byte")));
        }
        let list = match name {
            "resource" => Some(&mut self.resources),
            "audience" => Some(&mut self.audiences),
            _ => None,
        };
        if let Some(list) = list {
            if list.len() >= MAX_RESOURCES {
                return Err(refused(format!("more than {MAX_RESOURCES} {name} parameters")));
            }
            list.push(value);
            return Ok(());
        }
        if self.single.contains_key(name) {
            return Err(refused(format!("{name} is given more than once")));
        }
        self.single.insert(name.to_owned(), value);
        Ok(())
    }

    /// The value of a parameter, if it was given and is not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.single.get(name).map(String::as_str)
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request` that names the missing parameter.
    pub fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| refused(format!("{name} is missing")))
    }

    /// The `resource` values, in the order in which they came.
    #[must_use]
    pub fn resources(&self) -> &[String] {
        &self.resources
    }

    /// The `audience` values, in the order in which they came.
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }
}

fn refused(text: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest).describe(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(pairs: &[(&str, &str)]) -> Result<Params, OAuthError> {
        Params::collect(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn an_empty_parameter_counts_as_left_out_even_twice() {
        let params = collect(&[("state", ""), ("state", "a"), ("state", "")]).unwrap();
        assert_eq!(params.get("state"), Some("a"));
    }

    #[test]
    fn a_repeated_parameter_is_refused_and_named() {
        let error = collect(&[("state", "a"), ("state", "a")]).err().unwrap();
        assert_eq!(error.description, "state is given more than once");
    }

    #[test]
    fn of_a_repeated_parameter_no_value_counts() {
        let pairs = [("state", "a"), ("state", "b"), ("state", "c"), ("client_id", "app")];
        let (params, fault) =
            Params::collect_sound(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(params.get("client_id"), Some("app"));
        assert_eq!(params.get("state"), None);
        assert!(fault.is_some());
    }

    #[test]
    fn resource_may_come_several_times() {
        let params = collect(&[("resource", "https://a"), ("resource", "https://b")]).unwrap();
        assert_eq!(params.resources(), ["https://a", "https://b"]);
    }

    /// RFC 8693 §2.1.
    #[test]
    fn audience_may_come_several_times_too() {
        let params = collect(&[("audience", "https://a"), ("audience", "https://b")]).unwrap();
        assert_eq!(params.audiences(), ["https://a", "https://b"]);
        assert!(params.resources().is_empty());
    }

    /// RFC 6749 §3.1: "The authorization server MUST ignore unrecognized request parameters."
    #[test]
    fn what_nobody_knows_is_ignored_whatever_it_looks_like() {
        let long = "x".repeat(100_000);
        let pairs =
            [("foo", "1"), ("foo", "2"), ("bar", long.as_str()), (&long, "1"), ("nul", "a\0b"), ("", "x")];
        let params = collect(&pairs).unwrap();
        assert!(pairs.iter().all(|(name, _)| params.get(name).is_none()));
        assert!(collect(&[("foo", "1"); 65]).is_err(), "there is a limit to their number");
    }

    #[test]
    fn a_nul_byte_is_refused() {
        assert!(collect(&[("username", "a\0b")]).is_err());
    }

    #[test]
    fn a_value_may_have_its_limit_and_not_a_byte_more() {
        assert!(collect(&[("nonce", &"n".repeat(512))]).is_ok());
        assert!(collect(&[("nonce", &"n".repeat(513))]).is_err());
    }
}
