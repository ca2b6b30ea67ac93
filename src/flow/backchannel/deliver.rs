//! One delivery (OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8).

use crate::base::{Seconds, Timestamp, entropy};
use crate::domain::logout_delivery::LEASE;
use crate::domain::{Client, LogoutDelivery};
use crate::fetch::FetchError;
use crate::oauth::OAuthError;
use crate::store::{StoreError, clients, logout_deliveries};

use super::super::Cx;
use super::super::mint::logout_token;

/// What is put off because too much goes to its host at present comes soon; that is no try that failed.
const BUSY: Seconds = Seconds(2);

/// After one that did not get through, the client's others wait so long: a host that says nothing takes a whole time-out for
/// each, and those who do answer would wait behind it.
const UNREACHABLE: Seconds = Seconds(30);

/// What came of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The client knows.
    Told,
    /// It is not tried again, and why.
    GivenUp(String),
    /// It is tried again, and why.
    PutOff(String),
    /// It is tried again soon: too much goes to its host at present.
    Busy,
    /// Another node had taken it.
    Taken,
}

/// The deliveries that are due, at most `most`.
///
/// # Errors
/// When the database fails.
pub fn due(cx: &Cx, most: i64) -> Result<Vec<LogoutDelivery>, StoreError> {
    cx.store.read("due logouts", |conn| logout_deliveries::due(conn, cx.now, most))
}

/// Takes one and delivers it. Whoever dies meanwhile leaves it to be taken again when the lease is over: a client may be told
/// twice, which is no harm, and is never forgotten.
///
/// # Errors
/// When the database fails.
pub fn deliver_one(cx: &Cx, delivery: &LogoutDelivery) -> Result<Outcome, StoreError> {
    let (this, now) = (delivery.clone(), cx.now);
    if !cx.store.write("take a logout", move |conn| logout_deliveries::take(conn, &this, now, LEASE))? {
        return Ok(Outcome::Taken);
    }
    // As the database has it: a client that registered a moment ago may be unknown to this node's memory.
    let id = delivery.client_id.clone();
    let outcome = match cx.store.read("a client to tell", move |conn| clients::find(conn, &id))? {
        Some(client) if client.disabled_at.is_none() => tell(cx, &client, delivery)?,
        _ => Outcome::GivenUp("the client is gone or switched off".to_owned()),
    };
    settle(cx, delivery, &outcome)?;
    Ok(outcome)
}

fn tell(cx: &Cx, client: &Client, delivery: &LogoutDelivery) -> Result<Outcome, StoreError> {
    let Some(uri) = &client.openid.backchannel_logout_uri else {
        return Ok(Outcome::GivenUp("the client has no backchannel_logout_uri any more".to_owned()));
    };
    let token = match logout_token(cx, client, delivery.session_id, delivery.user_id) {
        Ok(token) => token,
        Err(OAuthError { operator, .. }) => return Ok(Outcome::PutOff(operator.into_owned())),
    };
    // §2.5: "an HTTP POST to the RP's back-channel logout URI […] with a logout_token parameter", form-encoded. The token's
    // own letters need no escape.
    let answer = cx.fetcher.post_form(uri, &format!("logout_token={token}"), cx.now);
    Ok(match answer.map(|answer| answer.status) {
        // §2.8: 200; "some Web frameworks will substitute an HTTP 204 No Content response".
        Ok(200 | 204) => Outcome::Told,
        // §2.5: "The OP should not retransmit a Logout Token unless the OP suspects that previous transmissions may have
        // failed due to potentially recoverable errors […]. In all other cases, the OP should not retransmit".
        Ok(status @ (408 | 425 | 429 | 500..)) => Outcome::PutOff(format!("{uri} answered {status}")),
        Ok(status) => Outcome::GivenUp(format!("{uri} refused it with {status}")),
        Err(FetchError::Busy) => Outcome::Busy,
        Err(error @ (FetchError::Address(_) | FetchError::Redirect(_))) => {
            Outcome::GivenUp(format!("{uri}: {error}"))
        }
        Err(error) => {
            let (client, until) = (client.id.clone(), cx.now + UNREACHABLE);
            cx.store
                .write("put logouts off", move |conn| logout_deliveries::put_off_all(conn, &client, until))?;
            Outcome::PutOff(format!("{uri}: {error}"))
        }
    })
}

fn settle(cx: &Cx, delivery: &LogoutDelivery, outcome: &Outcome) -> Result<(), StoreError> {
    let (client, session, attempts) = (&delivery.client_id, delivery.session_id, delivery.attempts + 1);
    match outcome {
        Outcome::Taken => Ok(()),
        Outcome::Told => {
            tracing::debug!(%client, %session, attempts, "logout delivered");
            done(cx, delivery)
        }
        Outcome::GivenUp(why) => give_up(cx, delivery, why),
        Outcome::Busy => put_off(cx, delivery, delivery.attempts, cx.now + BUSY),
        Outcome::PutOff(why) => {
            let chance = entropy::bytes::<1>(&*cx.entropy).map_or(128, |[chance]| chance);
            match delivery.after_failure(cx.now, chance) {
                Some(next) => {
                    tracing::info!(%client, %session, attempts, why, "a logout was not delivered; tried again");
                    put_off(cx, delivery, attempts, next)
                }
                None => give_up(cx, delivery, why),
            }
        }
    }
}

fn give_up(cx: &Cx, delivery: &LogoutDelivery, why: &str) -> Result<(), StoreError> {
    tracing::warn!(
        target: "countersign::security",
        event = "logout_not_delivered",
        client = %delivery.client_id,
        session = %delivery.session_id,
        attempts = delivery.attempts + 1,
        why,
        "a client was not told that a session ended, and will not be"
    );
    done(cx, delivery)
}

fn done(cx: &Cx, delivery: &LogoutDelivery) -> Result<(), StoreError> {
    let id = delivery.id;
    cx.store.write("a logout is done", move |conn| logout_deliveries::delete(conn, id))
}

fn put_off(cx: &Cx, delivery: &LogoutDelivery, attempts: i64, until: Timestamp) -> Result<(), StoreError> {
    let id = delivery.id;
    cx.store.write("put a logout off", move |conn| logout_deliveries::put_off(conn, id, attempts, until))
}
