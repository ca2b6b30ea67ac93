//! Requests that this server makes itself (docs/adr/0012): what is asked, what is not, and what is done with answers that
//! are too long, too slow, or lead elsewhere. RFC 6890 lists the addresses that are not of the public internet, RFC 1918,
//! RFC 2544, RFC 4193, RFC 4291 §2.4, RFC 6052 §2.1 and RFC 6598 among them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign::base::{Seconds, Timestamp};
use countersign::fetch::{Allow, FetchError, Fetched, Fetcher, MAX_BYTES, Names, Settings};

use super::support::outside::{Outside, Says};

const NOW: Timestamp = Timestamp(1_795_435_200);

/// Believes this server; may reach what `allow` says.
fn settings(outside: &Outside, allow: &[&str]) -> Settings {
    let (networks, hosts): (Vec<&str>, Vec<&str>) =
        allow.iter().partition(|one| one.parse::<ipnet::IpNet>().is_ok());
    Settings {
        ca_pem: Some(outside.certificate_pem.clone().into_bytes()),
        allow: Allow::new(
            hosts.into_iter().map(str::to_owned),
            networks.iter().map(|one| one.parse().unwrap()).collect(),
        ),
        timeout: Duration::from_millis(1500),
        per_host_per_minute: 100,
    }
}

fn fetcher(outside: &Outside) -> Fetcher {
    Fetcher::new(settings(outside, &["127.0.0.0/8"])).unwrap()
}

fn get(outside: &Outside) -> Result<Fetched, FetchError> {
    fetcher(outside).get(&outside.url("/keys"), "application/json", NOW)
}

/// Names that a test knows.
struct Told(Box<LookUp>, AtomicUsize);

type LookUp = dyn Fn(&str, usize) -> Vec<&'static str> + Send + Sync;

impl Told {
    fn new(names: impl Fn(&str, usize) -> Vec<&'static str> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self(Box::new(names), AtomicUsize::new(0)))
    }

    fn count(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl Names for Told {
    fn addresses(&self, host: &str, port: u16, _: Duration) -> io::Result<Vec<SocketAddr>> {
        let count = self.1.fetch_add(1, Ordering::SeqCst);
        Ok((self.0)(host, count).into_iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect())
    }
}

#[test]
fn a_document_is_fetched_with_its_type_and_how_long_it_counts() {
    let outside = Outside::start(|_| Says::Answer {
        status: 200,
        headers: vec![
            ("Content-Type".to_owned(), "Application/JSON; charset=utf-8".to_owned()),
            ("cache-control".to_owned(), "public, max-age=120".to_owned()),
        ],
        body: "{}".to_owned(),
    });
    let fetched = get(&outside).unwrap();
    assert_eq!((fetched.status, fetched.body.as_slice()), (200, &b"{}"[..]));
    assert_eq!(fetched.content_type.as_deref(), Some("application/json"));
    assert_eq!(fetched.max_age, Some(Seconds(120)));
    let asked = outside.asked().remove(0);
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/keys"));
    assert_eq!(asked.header("accept"), Some("application/json"));
    assert!(asked.header("user-agent").unwrap().starts_with("countersign/"));
    assert_eq!(asked.header("accept-encoding"), None, "nothing is decompressed here");
}

/// RFC 9111 §5.2.2.1, and the two words that forbid to keep an answer.
#[test]
fn how_long_an_answer_may_be_kept_is_read_with_care() {
    for (value, expected) in [
        ("max-age=60", Some(Seconds(60))),
        ("Public, MAX-AGE=\"60\"", Some(Seconds(60))),
        ("max-age=60, no-store", Some(Seconds(0))),
        ("no-cache", Some(Seconds(0))),
        ("max-age=-1", None),
        ("max-age=99999999999999999999", None),
        ("s-maxage=60", None),
        ("", None),
    ] {
        let headers = vec![("cache-control".to_owned(), value.to_owned())];
        let said = Says::Answer { status: 200, headers, body: String::new() };
        let outside = Outside::start(move |_| said.clone());
        assert_eq!(get(&outside).unwrap().max_age, expected, "{value}");
    }
}

#[test]
fn a_form_is_posted_and_only_the_status_counts() {
    let outside = Outside::start(|_| Says::Flood);
    let fetched = fetcher(&outside).post_form(&outside.url("/bye"), "logout_token=a", NOW).unwrap();
    assert_eq!((fetched.status, fetched.body.len()), (200, 0));
    let asked = outside.asked().remove(0);
    assert_eq!((asked.method.as_str(), asked.body.as_str()), ("POST", "logout_token=a"));
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[test]
fn a_machine_of_the_network_inside_is_not_asked() {
    let outside = Outside::start(|_| Says::status(200));
    let fetcher = Fetcher::new(settings(&outside, &[])).unwrap();
    for host in ["127.0.0.1", "localhost", "127.1", "0x7f000001", "[::ffff:127.0.0.1]"] {
        let url = format!("https://{host}:{}/", outside.address.port());
        let error = fetcher.get(&url, "*/*", NOW).unwrap_err();
        assert!(matches!(error, FetchError::Refused(_)), "{host}: {error}");
        assert!(error.to_string().contains("loopback"), "{host}: {error}");
        assert!(fetcher.post_form(&url, "", NOW).is_err());
    }
    assert_eq!(outside.asked().len(), 0);
}

/// Where the machines of a cloud find their credentials, and whatever else a name can be made to point at.
#[test]
fn what_a_name_leads_to_counts_and_not_how_it_looks() {
    let outside = Outside::start(|_| Says::status(200));
    for address in [
        "169.254.169.254",
        "10.0.0.1",
        "::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "0.0.0.0",
    ] {
        let names = Told::new(move |_, _| vec![address]);
        let fetcher = Fetcher::with_names(settings(&outside, &["127.0.0.0/8"]), names).unwrap();
        let error = fetcher.get("https://keys.client.example/", "*/*", NOW).unwrap_err();
        assert!(matches!(error, FetchError::Refused(_)), "{address}: {error}");
    }
}

#[test]
fn a_name_with_a_public_and_a_private_address_is_not_asked() {
    let outside = Outside::start(|_| Says::status(200));
    let names = Told::new(|_, _| vec!["8.8.8.8", "10.0.0.1"]);
    let fetcher = Fetcher::with_names(settings(&outside, &[]), names).unwrap();
    let error = fetcher.get("https://keys.client.example/", "*/*", NOW).unwrap_err();
    assert!(matches!(error, FetchError::Refused(_)), "{error}");
}

/// DNS rebinding: the first answer is for the check, the second for the connection.
#[test]
fn a_name_is_looked_up_once_and_the_connection_goes_where_the_check_looked() {
    let outside = Outside::named(&["keys.client.example"], |_| Says::status(200));
    let names = Told::new(|_, count| if count == 0 { vec!["127.0.0.1"] } else { vec!["169.254.169.254"] });
    let fetcher = Fetcher::with_names(settings(&outside, &["127.0.0.0/8"]), names.clone()).unwrap();
    let url = format!("https://keys.client.example:{}/", outside.address.port());
    assert_eq!(fetcher.get(&url, "*/*", NOW).unwrap().status, 200);
    assert_eq!(names.count(), 1);
    // And no connection is kept over for which nobody looked.
    assert!(matches!(fetcher.get(&url, "*/*", NOW), Err(FetchError::Refused(_))));
    assert_eq!((names.count(), outside.asked().len()), (2, 1));
}

#[test]
fn a_host_may_be_allowed_by_its_name() {
    let outside = Outside::start(|_| Says::status(200));
    let fetcher = Fetcher::new(settings(&outside, &["localhost"])).unwrap();
    let port = outside.address.port();
    // Its other address has nobody who listens.
    assert_eq!(fetcher.get(&format!("https://localhost:{port}/"), "*/*", NOW).unwrap().status, 200);
    assert!(matches!(fetcher.get(&outside.url("/"), "*/*", NOW), Err(FetchError::Refused(_))));
}

#[test]
fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let other = Outside::start(|_| Says::status(200));
        let to = other.url("/");
        let outside = Outside::start(move |_| Says::Answer {
            status,
            headers: vec![("location".to_owned(), to.clone())],
            body: String::new(),
        });
        assert!(matches!(get(&outside), Err(FetchError::Redirect(found)) if found == status));
        let posted = fetcher(&outside).post_form(&outside.url("/"), "a=b", NOW);
        assert!(matches!(posted, Err(FetchError::Redirect(_))), "{posted:?}");
        assert_eq!(other.asked().len(), 0);
    }
}

#[test]
fn a_long_answer_is_not_read_to_its_end() {
    let longest = "x".repeat(usize::try_from(MAX_BYTES).unwrap());
    let outside = Outside::start(move |_| Says::json(&longest));
    assert_eq!(get(&outside).unwrap().body.len() as u64, MAX_BYTES);
    let longer = "x".repeat(usize::try_from(MAX_BYTES).unwrap() + 1);
    outside.says(move |_| Says::json(&longer));
    assert!(matches!(get(&outside), Err(FetchError::TooLong)));
    outside.says(|_| Says::Flood);
    assert!(matches!(get(&outside), Err(FetchError::TooLong)));
    let heads = format!("HTTP/1.1 200 Said\r\nx: {}\r\n\r\n", "y".repeat(32_768)).into_bytes();
    outside.says(move |_| Says::Bytes(heads.clone()));
    assert!(get(&outside).is_err());
}

#[test]
fn a_slow_answer_is_not_waited_for() {
    let outside = Outside::start(|_| Says::Silence);
    let start = Instant::now();
    assert!(matches!(get(&outside), Err(FetchError::TimedOut(_))));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_believed() {
    let outside = Outside::start(|_| Says::status(200));
    let other = Outside::start(|_| Says::status(200));
    let stranger = Fetcher::new(settings(&other, &["127.0.0.0/8"])).unwrap();
    assert!(matches!(stranger.get(&outside.url("/"), "*/*", NOW), Err(FetchError::Failed(_))));
    // And one for another name is no better.
    let elsewhere = Outside::named(&["keys.client.example"], |_| Says::status(200));
    assert!(matches!(get(&elsewhere), Err(FetchError::Failed(_))));
    assert_eq!((outside.asked().len(), elsewhere.asked().len()), (0, 0));
}

#[test]
fn an_answer_that_is_no_http_is_an_error_and_nothing_worse() {
    let outside = Outside::start(|_| Says::Bytes(b"SSH-2.0-x\r\n".to_vec()));
    assert!(get(&outside).is_err());
    outside.says(|_| Says::Bytes(Vec::new()));
    assert!(get(&outside).is_err());
    outside.says(|_| Says::Bytes(b"HTTP/1.1 200 Said\r\ncontent-length: 10\r\n\r\n1".to_vec()));
    assert!(get(&outside).is_err(), "an answer that was cut short");
}

#[test]
fn one_host_is_asked_so_often_within_a_minute_and_no_more() {
    let outside = Outside::start(|_| Says::status(200));
    let settings = Settings { per_host_per_minute: 2, ..settings(&outside, &["127.0.0.0/8"]) };
    let fetcher = Fetcher::new(settings).unwrap();
    let get = |now| fetcher.get(&outside.url("/"), "*/*", now);
    assert!(get(NOW).is_ok() && get(NOW).is_ok());
    assert!(matches!(get(NOW), Err(FetchError::Busy)));
    assert!(get(NOW + Seconds(60)).is_ok());
    assert_eq!(outside.asked().len(), 3);
}

#[test]
fn a_file_without_a_certificate_is_told_at_the_start() {
    for pem in ["", "nothing", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        let settings = Settings { ca_pem: Some(pem.as_bytes().to_vec()), ..Settings::default() };
        assert!(Fetcher::new(settings).is_err(), "{pem}");
    }
}
