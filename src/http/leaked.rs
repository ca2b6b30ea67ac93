//! `POST /leaked-tokens`: what a secret scanner found, in the form in which GitHub's secret scanning partner program sends
//! it, and the answer in the form in which that takes it.

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::base::encoding::{hex, sha256};
use crate::flow::leaked::{self, Found};
use crate::oauth::{ErrorCode, OAuthError};

use super::{errors, forms, headers, peer, run};

/// The most tokens of one request.
const MAX_TOKENS: usize = 100;

/// One match. `source` and whatever else comes with it are of no use here.
#[derive(Deserialize)]
struct Match {
    token: String,
    /// The scanner's name for what it looks for, told back as it came.
    #[serde(default, rename = "type")]
    token_type: String,
    #[serde(default)]
    url: Option<String>,
}

/// What came of one match.
#[derive(Serialize)]
struct Feedback<'a> {
    /// SHA-256 in hexadecimal digits: the token itself is not sent around once more.
    token_hash: String,
    token_type: &'a str,
    label: &'static str,
}

pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let body = match forms::json(&request, &mut payload, &app.site).await {
        Ok(body) => body,
        Err(error) => return errors::body_json(&request, &error),
    };
    let matches = match matches(&body) {
        Ok(matches) => matches,
        Err(error) => return errors::json(&request, &error),
    };
    let feedback: Vec<(String, String)> =
        matches.iter().map(|one| (hex(&sha256(one.token.as_bytes())), one.token_type.clone())).collect();
    let found: Vec<Found> =
        matches.into_iter().map(|one| Found { token: one.token, url: one.url.unwrap_or_default() }).collect();
    let peer = peer::address(&request, &app);
    match run::blocking(&request, &app, move |cx| leaked::report(cx, &found, peer)).await {
        Ok(Ok(labels)) => success(&feedback, &labels),
        Ok(Err(wait)) => too_many(wait.0),
        Err(error) => errors::json(&request, &error),
    }
}

fn matches(body: &[u8]) -> Result<Vec<Match>, OAuthError> {
    let refused = |text: String| OAuthError::new(ErrorCode::InvalidRequest).describe(text);
    let matches: Vec<Match> = serde_json::from_slice(body).map_err(|_| {
        refused("the body is a JSON list of objects with token, type and url, all of them texts".to_owned())
    })?;
    if matches.len() > MAX_TOKENS {
        return Err(refused(format!("more than {MAX_TOKENS} tokens in one request")));
    }
    Ok(matches)
}

fn success(feedback: &[(String, String)], labels: &[bool]) -> HttpResponse {
    let each = feedback.iter().zip(labels).map(|((token_hash, token_type), is_ours)| Feedback {
        token_hash: token_hash.clone(),
        token_type,
        label: if *is_ours { "true_positive" } else { "false_positive" },
    });
    let mut response = HttpResponse::Ok();
    headers::no_store(&mut response);
    response.json(each.collect::<Vec<_>>())
}

/// RFC 6585 §4: "The response representations SHOULD include details explaining the condition, and MAY include a
/// Retry-After header indicating how long to wait before making a new request."
fn too_many(wait_s: i64) -> HttpResponse {
    let mut response = errors::http_json(
        429,
        "too many requests from this network in which nothing was found, try again later",
    );
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait_s.max(1)));
    response
}
