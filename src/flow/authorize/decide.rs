//! Whether a valid request needs a login page, a consent page, or gets its code (OpenID Connect Core 1.0 §3.1.2.3–4).

use crate::base::PlainToken;
use crate::domain::{Client, Profile};
use crate::flow::login::{self, Accounts, SignedIn};
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
    /// The user must say which account is meant.
    Choose,
    /// The user must agree.
    Consent,
    /// Nothing: the code may go out.
    Code,
}

/// Decides and prepares the next step, for whoever the request is about among those that are signed in.
pub(super) fn next(
    cx: &Cx,
    client: &Client,
    valid: ValidRequest,
    here: &Accounts,
    tie: &PlainToken,
) -> Result<Next, OAuthError> {
    // Initiating User Registration via OpenID Connect 1.0 §4.1: "the client desires that the user be shown the account creation
    // UX rather than the login flow", whoever is signed in. Whoever makes an account has signed in and chosen one.
    if valid.prompt.create {
        return Ok(Next::SignUp(waiting(cx, valid, tie)?));
    }
    let known = meant(cx, client, &valid, here).cloned();
    // Nobody is active, but there are accounts: it is for the user to say who goes on.
    if known.is_none() && !here.is_empty() && !valid.expects_somebody() {
        return choose(cx, valid, tie);
    }
    next_for(cx, client, valid, known.as_ref(), tie)
}

/// Whom a request is about: the user that the client expects, where that one is signed in here, without a question
/// (OpenID Connect Core §3.1.2.1, `id_token_hint`); else the active account.
fn meant<'h>(cx: &Cx, client: &Client, valid: &ValidRequest, here: &'h Accounts) -> Option<&'h SignedIn> {
    let expected = |known: &&SignedIn| is_expected(cx, client, valid, known);
    let there = valid.expects_somebody().then(|| here.all().find(expected)).flatten();
    there.or_else(|| here.active())
}

/// Whether the client expects this user, or nobody in particular.
fn is_expected(cx: &Cx, client: &Client, valid: &ValidRequest, known: &SignedIn) -> bool {
    !valid.is_for_another(&subject::sub_for(&cx.policy, client, known.user.id))
}

fn choose(cx: &Cx, valid: ValidRequest, tie: &PlainToken) -> Result<Next, OAuthError> {
    if valid.prompt.none {
        return Err(ErrorCode::AccountSelectionRequired.into());
    }
    Ok(Next::Choose(waiting(cx, valid, tie)?))
}

/// A request that waits at one of the pages, sealed.
fn waiting(cx: &Cx, valid: ValidRequest, tie: &PlainToken) -> Result<String, OAuthError> {
    let to = Destination::Client(Box::new(valid));
    seal_login(cx, &LoginTicket { to, notice: None, typed: None, remember: false }, tie)
}

/// Decides and prepares the next step for this account.
pub(super) fn next_for(
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
        (Answer::Choose, _) => choose(cx, valid, tie),
        (answer, _) => {
            let notice = (answer == Answer::LoginAgain).then_some(LoginNotice::Reauthenticate);
            let remember = known.is_some_and(|known| known.session.remembered);
            let to = Destination::Client(Box::new(valid));
            let ticket = LoginTicket { to, notice, typed: None, remember };
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
    // OpenID Connect Core §3.1.2.1, select_account: it "SHOULD prompt the End-User to select a user account". Whoever signed
    // in for this very request has said who they are.
    if valid.prompt.select_account && !valid.chosen && !valid.reauthenticated {
        return Ok(Answer::Choose);
    }
    let is_other_user = !is_expected(cx, client, valid, known);
    // §3.1.2.1, id_token_hint: "If the End-User identified by the ID Token is already logged in or is logged in as a result
    // of the request […], then the Authorization Server returns a positive response; otherwise, it MUST return an error, such
    // as login_required." Asked again, whoever has no other account would never come back to the client.
    if is_other_user && valid.reauthenticated {
        let text = "another user is meant than the one who signed in";
        return Err(OAuthError::new(ErrorCode::LoginRequired).describe(text));
    }
    if is_other_user || must_prove_again(cx, valid, known) {
        return Ok(Answer::LoginAgain);
    }
    if needs_consent(cx, client, valid, known)? { Ok(Answer::Consent) } else { Ok(Answer::Code) }
}

/// OpenID Connect Core §3.1.2.3: prompt=login "MUST attempt to authenticate even if the End-User is already
/// authenticated"; max_age: "If the elapsed time is greater than this value, the OP MUST attempt to actively
/// re-authenticate the End-User."
fn must_prove_again(cx: &Cx, valid: &ValidRequest, known: &SignedIn) -> bool {
    if valid.reauthenticated {
        return false;
    }
    let elapsed = (cx.now - known.session.authenticated_at).0;
    let too_old = valid.max_age_s.is_some_and(|max_age| max_age == 0 || elapsed > max_age);
    valid.prompt.login || too_old
}

fn needs_consent(
    cx: &Cx,
    client: &Client,
    valid: &ValidRequest,
    known: &SignedIn,
) -> Result<bool, OAuthError> {
    if valid.prompt.consent || is_always_asked(client, valid) {
        return Ok(true);
    }
    if client.skip_consent {
        return Ok(false);
    }
    Ok(!consent::is_remembered(cx, client, valid, known)?)
}

/// RFC 8252 §8.6: "the authorization server SHOULD NOT process authorization requests automatically without user consent or
/// interaction, except when the identity of the client can be assured": another app may claim the same private-use scheme or
/// loopback port.
pub(super) fn is_always_asked(client: &Client, valid: &ValidRequest) -> bool {
    client.profile == Profile::Native && !valid.reply.uri().starts_with("https:")
}
