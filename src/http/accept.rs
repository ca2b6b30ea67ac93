//! What a client wants to be answered in (RFC 9110 §12.5.1).

use actix_web::HttpRequest;
use actix_web::http::header;

/// Whether `Accept` names the media type `kind` and wants JSON no more than that. Wildcards stand for JSON, which is what
/// whoever says nothing of it is answered in.
pub(super) fn wants(request: &HttpRequest, kind: &str) -> bool {
    let values = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    let ranges: Vec<(&str, u16)> = values.flat_map(|value| value.split(',')).filter_map(range).collect();
    prefers(&ranges, kind)
}

fn prefers(ranges: &[(&str, u16)], kind: &str) -> bool {
    // "The most specific reference has precedence."
    let quality = |names: &[&str]| {
        let of = |name: &&str| ranges.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        names.iter().find_map(of).map_or(0, |(_, quality)| *quality)
    };
    let wanted = quality(&[kind]);
    wanted > 0 && wanted >= quality(&["application/json", "application/*", "*/*"])
}

/// A media range and its weight in thousandths: RFC 9110 §12.4.2.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?;
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
    });
    Some((name, weight.unwrap_or(Some(1000))?))
}

/// `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{part:0<3}").parse().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "application/token-introspection+jwt";

    fn wanted(accept: &str) -> bool {
        let ranges: Vec<_> = accept.split(',').filter_map(range).collect();
        prefers(&ranges, KIND)
    }

    /// RFC 9110 §12.5.1 and §12.4.2.
    #[test]
    fn a_media_type_is_wanted_where_it_is_named_and_weighs_no_less_than_json() {
        for accept in [
            "application/token-introspection+jwt",
            "Application/Token-Introspection+JWT",
            "application/json, application/token-introspection+jwt",
            "application/token-introspection+jwt;q=0.5, application/json;q=0.4",
            "application/json;q=0.9,\tapplication/token-introspection+jwt; q=1.000",
            "application/token-introspection+jwt; profile=x; q=0.1, text/html",
            "application/token-introspection+jwt, */*;q=0.8",
            "application/token-introspection+jwt;q=0.3, application/json;q=0.2, */*;q=0.9",
        ] {
            assert!(wanted(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "application/*",
            "application/json",
            "application/jwt",
            "application/token-introspection+jwt;q=0",
            "application/token-introspection+jwt;q=0.000",
            "application/token-introspection+jwt;q=0.4, application/json;q=0.5",
            "application/token-introspection+jwt;q=0.4, */*",
            "application/token-introspection+jwt;q=high",
            "application/token-introspection+jwt;q=1.001",
            "application/token-introspection+jwt;q=0.1234",
            "application/token-introspection+jwt;q=-1",
        ] {
            assert!(!wanted(accept), "{accept}");
        }
    }
}
