//! From the issuer's name to its keys (OpenID Connect Discovery 1.0 §4).

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use crate::jwks::{Fetched, Source};

const TIMEOUT: Duration = Duration::from_secs(5);
const BODY_LIMIT_BYTES: u64 = 256 * 1024;
/// The issuer's word on caching is taken within these bounds: a key that is withdrawn is forgotten within the hour.
const MAX_AGE_S: std::ops::RangeInclusive<u64> = 30..=3600;
const MAX_AGE_WITHOUT_WORD_S: u64 = 300;

/// Reads the issuer's metadata, then its key set: all that this API ever asks of the issuer.
pub(crate) fn source(issuer: String) -> Source {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        // The issuer answers by itself. A redirect would mean that somebody else vouches for the keys.
        .max_redirects(0)
        .proxy(None)
        .build()
        .into();
    Box::new(move || {
        // §4.1: "any terminating / MUST be removed before appending /.well-known/openid-configuration"
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let (metadata, _) = get_json(&agent, &url)?;
        let (jwks, cache_control) = get_json(&agent, jwks_uri(&metadata, &issuer)?)?;
        Ok(Fetched { jwks, max_age: max_age(&cache_control) })
    })
}

/// §4.3: "The issuer value returned MUST be identical to the Issuer URL that was used as the prefix". Compared as it
/// stands: no case folding, no trailing slash forgiven.
fn jwks_uri<'a>(metadata: &'a Value, issuer: &str) -> Result<&'a str, String> {
    let says = metadata["issuer"].as_str().unwrap_or_default();
    if says != issuer {
        return Err(format!(
            "{issuer} calls itself {says:?} in its metadata: set --issuer to exactly that, if it is right"
        ));
    }
    metadata["jwks_uri"].as_str().ok_or_else(|| format!("the metadata of {issuer} has no jwks_uri"))
}

fn get_json(agent: &Agent, url: &str) -> Result<(Value, String), String> {
    let mut response = agent.get(url).call().map_err(|error| format!("GET {url}: {error}"))?;
    let cache_control = response.headers().get("cache-control").and_then(|value| value.to_str().ok());
    let cache_control = cache_control.unwrap_or_default().to_owned();
    let body = response.body_mut().with_config().limit(BODY_LIMIT_BYTES).read_to_string();
    let body = body.map_err(|error| format!("GET {url}: {error}"))?;
    let json = serde_json::from_str(&body).map_err(|error| format!("GET {url}: not JSON: {error}"))?;
    Ok((json, cache_control))
}

fn max_age(cache_control: &str) -> Duration {
    let said = cache_control.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse().ok());
    let within = said.unwrap_or(MAX_AGE_WITHOUT_WORD_S).clamp(*MAX_AGE_S.start(), *MAX_AGE_S.end());
    Duration::from_secs(within)
}

#[cfg(test)]
mod tests {
    use super::{jwks_uri, max_age};
    use serde_json::json;
    use std::time::Duration;

    const ISSUER: &str = "https://issuer.example";

    #[test]
    fn metadata_of_the_very_issuer_names_the_key_set() {
        let metadata = json!({"issuer": ISSUER, "jwks_uri": "https://issuer.example/keys"});
        assert_eq!(jwks_uri(&metadata, ISSUER), Ok("https://issuer.example/keys"));
    }

    #[test]
    fn metadata_of_another_issuer_is_refused() {
        for says in ["https://issuer.example/", "https://ISSUER.example", "https://other.example", ""] {
            let metadata = json!({"issuer": says, "jwks_uri": "https://issuer.example/keys"});
            assert!(jwks_uri(&metadata, ISSUER).is_err(), "{says}");
        }
    }

    #[test]
    fn metadata_without_a_key_set_is_refused() {
        assert!(jwks_uri(&json!({"issuer": ISSUER}), ISSUER).is_err());
    }

    #[test]
    fn the_issuers_word_on_caching_is_taken_within_bounds() {
        for (cache_control, wanted_s) in [
            ("public, max-age=600", 600),
            ("max-age=0, must-revalidate", 30),
            ("max-age=99999999", 3600),
            ("no-store", 300),
            ("", 300),
        ] {
            assert_eq!(max_age(cache_control), Duration::from_secs(wanted_s), "{cache_control}");
        }
    }
}
