//! The claims about a user, and the scope value that bears each (OpenID Connect Core 1.0 §5.1, §5.4).

/// §5.4: "the End-User's default profile Claims".
pub const PROFILE: [&str; 14] = [
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];
/// §5.4: "access to the email and email_verified Claims".
pub const EMAIL: [&str; 2] = ["email", "email_verified"];
/// §5.4: "access to the address Claim".
pub const ADDRESS: [&str; 1] = ["address"];
/// §5.4: "access to the phone_number and phone_number_verified Claims".
pub const PHONE: [&str; 2] = ["phone_number", "phone_number_verified"];

/// The scope values that bear claims.
pub const BEARERS: [&str; 4] = ["profile", "email", "address", "phone"];

/// The claims that a scope value bears.
#[must_use]
pub fn of_scope(value: &str) -> &'static [&'static str] {
    match value {
        "profile" => &PROFILE,
        "email" => &EMAIL,
        "address" => &ADDRESS,
        "phone" => &PHONE,
        _ => &[],
    }
}

/// The scope value that bears a claim.
#[must_use]
pub fn bearer(claim: &str) -> Option<&'static str> {
    BEARERS.into_iter().find(|value| of_scope(value).contains(&claim))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_has_one_scope_that_bears_it() {
        assert_eq!(bearer("updated_at"), Some("profile"));
        assert_eq!(bearer("phone_number_verified"), Some("phone"));
        for name in ["sub", "acr", "auth_time", "NAME", "name#de", "profile ", ""] {
            assert_eq!(bearer(name), None, "{name}");
        }
        let all: Vec<_> = BEARERS.into_iter().flat_map(of_scope).collect();
        let names: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), names.len()), (19, 19));
    }
}
