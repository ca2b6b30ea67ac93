//! Whose session a logout is about: `id_token_hint` and `logout_hint` (OpenID Connect RP-Initiated Logout 1.0 §2).

use serde_json::Value;

use crate::domain::session::sid;
use crate::domain::{Client, UserName};
use crate::flow::login::{Accounts, SignedIn};
use crate::flow::{Cx, subject};
use crate::jose::VerifyError;
use crate::oauth::OAuthError;

use super::invalid;

/// An ID token of this server, fresh or expired.
pub(super) struct Hint {
    /// `aud`.
    pub(super) client: String,
    /// `sub`.
    subject: Option<String>,
    /// `sid`.
    sid: Option<String>,
}

/// §2: the hint may have expired; "the OP SHOULD accept ID Tokens when the RP identified by the ID Token's aud claim
/// and/or sid claim has a current session or had a recent session at the OP, even when the exp time has passed." Nothing for
/// one whose key is not known, or no more: it says and proves as much as none.
pub(super) fn read(cx: &Cx, text: &str) -> Result<Option<Hint>, OAuthError> {
    // OpenID Connect Core §3.1.2.1: "If the ID Token received by the RP from the OP is encrypted, to use it as an
    // id_token_hint, the Client MUST decrypt the signed ID Token contained within the encrypted ID Token."
    if text.bytes().filter(|byte| *byte == b'.').count() == 4 {
        return Err(invalid("id_token_hint is encrypted: decrypt it, and send the signed ID token in it"));
    }
    let refuse = || invalid("id_token_hint is not an ID token of this server");
    let claims = match cx.snapshot.keys.verify_hint(text) {
        Ok(claims) => claims,
        Err(VerifyError::UnknownKey) => return Ok(None),
        Err(error) => return Err(refuse().because(error.to_string())),
    };
    let word = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    if word("iss").as_deref() != Some(cx.policy.issuer.as_str()) {
        return Err(refuse());
    }
    Ok(Some(Hint { client: word("aud").ok_or_else(refuse)?, subject: word("sub"), sid: word("sid") }))
}

/// The account that is meant among those that are signed in, and whether the hint proves it: then its `sid` is that of the
/// very session. What the client only hints at, or a token of an earlier session, is a question to the user.
pub(super) fn whom<'h>(
    cx: &Cx,
    here: &'h Accounts,
    hint: Option<&Hint>,
    client: Option<&Client>,
    logout_hint: Option<&str>,
) -> Option<(&'h SignedIn, bool)> {
    let sid_of = |known: &SignedIn| client.map(|client| sid(known.session.id, &client.id));
    let of = |is_meant: &dyn Fn(&&SignedIn) -> bool| here.all().find(is_meant);
    if let Some(hint) = hint {
        if hint.sid.is_some()
            && let Some(known) = of(&|known| sid_of(known) == hint.sid)
        {
            return Some((known, true));
        }
        let subject =
            |known: &SignedIn| client.map(|client| subject::sub_for(&cx.policy, client, known.user.id));
        if hint.subject.is_some()
            && let Some(known) = of(&|known| subject(known) == hint.subject)
        {
            return Some((known, false));
        }
    }
    // §2: "this value […] might be […] an email address, phone number, username, or session identifier".
    let is_hinted = |known: &&SignedIn| {
        logout_hint.is_some_and(|text| {
            known.user.username == UserName::canonical(text)
                || known.user.email.as_deref() == Some(text)
                || sid_of(known).as_deref() == Some(text)
        })
    };
    let known = of(&is_hinted).or_else(|| here.active()).or_else(|| here.all().next());
    known.map(|known| (known, false))
}
