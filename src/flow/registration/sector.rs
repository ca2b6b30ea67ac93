//! The sector of a client. OpenID Connect Dynamic Client Registration 1.0 §5: "The values of the registered redirect_uris MUST
//! be included in the elements of the array" at the `sector_identifier_uri`: whoever shares a sector with others, and so the
//! `sub` values, must be named by them.

use std::net::IpAddr;

use crate::domain::Client;
use crate::domain::throttle::{Limit, ThrottleKey};
use crate::flow::Cx;
use crate::oauth::registration::MetadataError;
use crate::store::throttles;

use super::Refusal;

const FIELD: &str = "sector_identifier_uri";

/// Fetches the document of a client's sector, where it names one, and looks for its redirect URIs there. Each time counts, to
/// the network that asked, as a registration does: whoever may make this server ask others could keep it busy with that.
pub(super) fn check(cx: &Cx, client: &Client, peer: IpAddr) -> Result<(), Refusal> {
    let Some(uri) = &client.openid.sector_identifier_uri else { return Ok(()) };
    let policy = &cx.policy.registration;
    let limit = Limit {
        key: ThrottleKey::sectors(peer),
        max_failures: policy.max_per_address,
        window: policy.window,
    };
    let now = cx.now;
    let full = cx
        .store
        .write("count a sector", move |conn| throttles::reserve(conn, std::slice::from_ref(&limit), now))?;
    if let Some(full) = full {
        return Err(Refusal::Throttled(full.wait));
    }
    Ok(lists_all(cx, client, uri)?)
}

/// What went wrong with the request is for the log: it may tell of the network inside.
fn lists_all(cx: &Cx, client: &Client, uri: &str) -> Result<(), MetadataError> {
    let refused = |why: String| {
        tracing::info!(client = %client.id, uri, why, "the document of a sector could not be used");
        MetadataError::of(FIELD, "there is no JSON list of redirect URIs to be had there")
    };
    let got = cx.fetcher.get(uri, "application/json", cx.now).map_err(|e| refused(e.to_string()))?;
    if got.status != 200 {
        return Err(refused(format!("status {}", got.status)));
    }
    let listed: Vec<String> = serde_json::from_slice(&got.body).map_err(|e| refused(e.to_string()))?;
    if client.redirect_uris.iter().any(|uri| !listed.iter().any(|known| known == uri.as_str())) {
        return Err(MetadataError::of(FIELD, "not all redirect URIs are in the list that is there"));
    }
    Ok(())
}
