//! The sector of a client. OpenID Connect Dynamic Client Registration 1.0 §5: "The values of the registered redirect_uris MUST
//! be included in the elements of the array" at the `sector_identifier_uri`: whoever shares a sector with others, and so the
//! `sub` values, must be named by them.

use crate::domain::Client;
use crate::flow::Cx;
use crate::oauth::registration::MetadataError;

const FIELD: &str = "sector_identifier_uri";

/// Fetches the document of a client's sector, where it names one, and looks for its redirect URIs there. What went wrong with
/// the request is for the log: it may tell of the network inside.
pub(super) fn check(cx: &Cx, client: &Client) -> Result<(), MetadataError> {
    let Some(uri) = &client.openid.sector_identifier_uri else { return Ok(()) };
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
