//! Whether a valid request needs a login page, a consent page, or gets its code (OpenID Connect Core 1.0 §3.1.2.3–4).

use crate::base::PlainToken;
use crate::domain::{Client, Profile};
use crate::flow::login::{self, SignedIn};
use crate::flow::{Cx, subject};
use crate::oauth::{ErrorCode, OAuthError};

use super::tickets::{ConsentTicket, Destination, LoginNotice, LoginTicket, seal_consent, seal_login};
use super::{Next, ValidRequest, consent, issue};

/// What a request needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The user must sign in.
    Login,
    /// The user must sign in again, though a session is there.
    LoginAgain,
    /// The user must agree.
    Consent,
    /// Nothing: the code may go out.
    Code,
}

/// Decides and prepares the next step.
pub(super) fn next(
    cx: &Cx,
    client: &Client,
    valid: ValidRequest,
    known: Option<&SignedIn>,
    tie: &PlainToken,
) -> Result<Next, OAuthError> {
    let answer = decide(cx, client, &valid, known)?;
    // OpenID Connect Core §3.1.2.1: with prompt=none "an error is returned if an End-User is not already authenticated or
    // the Client does not have pre-configured consent".
    match (answer, known) {
        (Answer::Login | Answer::LoginAgain, _) if valid.prompt.none => Err(ErrorCode::LoginRequired.into()),
        (Answer::Consent, _) if valid.prompt.none => Err(ErrorCode::ConsentRequired.into()),
        (Answer::Consent, Some(known)) => {
            login::touch(cx, known)?;
            let jti = crate::base::Id::random(&*cx.entropy)?;
            let ticket = ConsentTicket { request: valid, session_id: known.session.id, jti };
            Ok(Next::Consent(seal_consent(cx, &ticket, tie)?))
        }
        (Answer::Code, Some(known)) => {
            login::touch(cx, known)?;
            let answer = issue::code(cx, client, &valid, known, None)?;
            answer.map(Next::Client).ok_or_else(|| ErrorCode::ServerError.into())
        }
        (answer, _) => {
            let notice = (answer == Answer::LoginAgain).then_some(LoginNotice::Reauthenticate);
            let ticket = LoginTicket { to: Destination::Client(Box::new(valid)), notice, typed: None };
            Ok(Next::Login(seal_login(cx, &ticket, tie)?))
        }
    }
}

fn decide(
    cx: &Cx,
    client: &Client,
    valid: &ValidRequest,
    known: Option<&SignedIn>,
) -> Result<Answer, OAuthError> {
    let Some(known) = known else { return Ok(Answer::Login) };
    if must_prove_again(cx, client, valid, known) {
        return Ok(Answer::LoginAgain);
    }
    if needs_consent(cx, client, valid, known)? { Ok(Answer::Consent) } else { Ok(Answer::Code) }
}

/// OpenID Connect Core §3.1.2.3: prompt=login "MUST attempt to authenticate even if the End-User is already
/// authenticated"; max_age: "If the elapsed time is greater than this value, the OP MUST attempt to actively
/// re-authenticate the End-User."
fn must_prove_again(cx: &Cx, client: &Client, valid: &ValidRequest, known: &SignedIn) -> bool {
    let other_user = valid.is_for_another(&subject::sub_for(&cx.policy, client, known.user.id));
    if valid.reauthenticated {
        // Whoever just signed in as somebody else than the client expects is asked again, not passed off as the other.
        return other_user;
    }
    let elapsed = (cx.now - known.session.authenticated_at).0;
    let too_old = valid.max_age_s.is_some_and(|max_age| max_age == 0 || elapsed > max_age);
    valid.prompt.login || valid.prompt.select_account || too_old || other_user
}

fn needs_consent(
    cx: &Cx,
    client: &Client,
    valid: &ValidRequest,
    known: &SignedIn,
) -> Result<bool, OAuthError> {
    // RFC 8252 §8.6: "the authorization server SHOULD NOT process authorization requests automatically without user
    // consent or interaction, except when the identity of the client can be assured": another app may claim the same
    // private-use scheme or loopback port.
    let may_be_another_app = client.profile == Profile::Native && !valid.reply.uri().starts_with("https:");
    if valid.prompt.consent || may_be_another_app {
        return Ok(true);
    }
    if client.skip_consent {
        return Ok(false);
    }
    Ok(!consent::is_remembered(cx, client, valid, known)?)
}
