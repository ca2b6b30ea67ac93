//! Chromium without a window, driven through chromedriver as a person would: one fresh browser and profile for each
//! test, gone with all its processes and its folder however the test ends.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Once, mpsc};
use std::time::Duration;

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use ureq::http::Method;

/// What the page sees of the device.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Width of the viewport in CSS pixels.
    pub width: u32,
    /// Height of the viewport in CSS pixels.
    pub height: u32,
    /// A touch device with a mobile browser's layout rules.
    pub mobile: bool,
    /// `prefers-color-scheme: dark`.
    pub dark: bool,
}

impl Look {
    pub const DESK: Look = Look { width: 1280, height: 800, mobile: false, dark: false };
    pub const PHONE: Look = Look { width: 390, height: 844, mobile: true, dark: false };

    pub const fn dark(self) -> Self {
        Look { dark: true, ..self }
    }
}

/// After this a browser that is waited for is taken for stuck: a failure says more than a run without an end.
const TOO_LONG: Duration = Duration::from_secs(180);

/// Runs `test` in a desk browser. Where there is none, it fails under `CI` and is skipped, loudly, elsewhere.
pub fn browse<F: Future>(test: impl FnOnce(Client) -> F) -> Option<F::Output> {
    browse_as(Look::DESK, test)
}

/// Runs `test` in a browser of this look.
pub fn browse_as<F: Future>(look: Look, test: impl FnOnce(Client) -> F) -> Option<F::Output> {
    let browser = match Programs::find() {
        Some(programs) => Browser::start(&programs).unwrap(),
        None => return say_what_is_missing(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(async { tokio::time::timeout(TOO_LONG, browser.session()).await });
    let client = client.expect("chromedriver opens no browser").unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            set_look(&client, look).await;
            let test = tokio::time::timeout(TOO_LONG, test(client.clone()));
            test.await.expect("the browser test does not come to an end")
        })
    }));
    // Quits Chromium in good order; after a panic too, so that the next test has the machine to itself.
    let _ = runtime.block_on(async { tokio::time::timeout(TOO_LONG, client.close()).await });
    drop(browser);
    Some(outcome.unwrap_or_else(|panic| resume_unwind(panic)))
}

fn say_what_is_missing<T>() -> Option<T> {
    static ONCE: Once = Once::new();
    let text = "*** THE BROWSER TESTS DID NOT RUN: chromium or chromedriver is missing (`tools/test-deps` installs them)";
    assert!(std::env::var_os("CI").is_none(), "Chromium is required in CI\n{text}");
    ONCE.call_once(|| {
        // Not eprintln!: libtest would keep it to itself.
        let _ = io::stderr().write_all(format!("\n{text}\n\n").as_bytes());
    });
    None
}

/// Changes what the open page and those after it see of the device.
pub async fn set_look(client: &Client, look: Look) {
    let metrics = json!({
        "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.mobile,
    });
    devtools(client, "Emulation.setDeviceMetricsOverride", metrics).await;
    devtools(client, "Emulation.setTouchEmulationEnabled", json!({ "enabled": look.mobile })).await;
    let scheme = if look.dark { "dark" } else { "light" };
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    devtools(client, "Emulation.setEmulatedMedia", media).await;
}

/// Sends a command of the Chrome DevTools protocol, for what WebDriver lacks.
pub async fn devtools(client: &Client, name: &'static str, params: serde_json::Value) -> serde_json::Value {
    client.issue_cmd(DevTools { name, params }).await.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Saves what the viewport shows as a PNG, in a folder that is made when it is missing.
pub async fn screenshot(client: &Client, path: impl AsRef<Path>) {
    let png = client.screenshot().await.unwrap();
    let path = path.as_ref();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(path, png).unwrap();
}

/// One chromedriver, and the folder in which everything of it lies.
struct Browser {
    shell: Child,
    address: String,
    options: serde_json::Value,
}

impl Browser {
    /// chromedriver takes a free port of IPv6 and gives up when the same one of IPv4 is in use, as happens among so many
    /// servers: then another one is tried.
    fn start(programs: &Programs) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            match Self::try_start(programs) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < 20 => tries += 1,
                result => return result,
            }
        }
    }

    fn try_start(programs: &Programs) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("countersign-browser-").tempdir()?.keep();
        // The shell outlives this process by a moment: it waits for the end of its input, then ends the driver and the
        // browser by their ids (Chromium's profile lock is a link to "host-pid") and removes the folder. Only the driver
        // holds the output, which thus ends when the driver does.
        let script = r#"trap '' INT TERM HUP QUIT
            "$1" --port=0 & driver=$!
            exec >/dev/null
            cat
            browser=$(readlink "$2/profile/SingletonLock")
            kill -KILL "$driver" "${browser##*-}"
            for _ in 1 2 3 4 5; do rm -rf "$2" && break; sleep 0.2; done"#;
        let mut shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(&programs.chromedriver)
            .arg(&folder)
            .env("TMPDIR", &folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = shell.stdout.take().expect("stdout is piped");
        let mut browser = Browser { shell, address: String::new(), options: json!({}) };
        let port = port_said_in(output)?;
        browser.address = format!("http://127.0.0.1:{port}");
        let profile = format!("--user-data-dir={}", folder.join("profile").display());
        browser.options = json!({
            "binary": programs.chromium,
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--lang=en-US",
                // Nothing but this machine: a page that asks for a third party's asset is to be seen without it.
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, EXCLUDE ::1",
                profile,
            ],
            "prefs": { "credentials_enable_service": false, "profile.password_manager_leak_detection": false },
        });
        Ok(browser)
    }

    async fn session(&self) -> Result<Client, fantoccini::error::NewSessionError> {
        let mut capabilities = Capabilities::new();
        capabilities.insert("goog:chromeOptions".to_owned(), self.options.clone());
        capabilities.insert("acceptInsecureCerts".to_owned(), json!(true));
        ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&self.address).await
    }
}

/// The port on which chromedriver says that it listens. Its output is read to the end: an unread pipe would hold it up.
fn port_said_in(output: impl io::Read + Send + 'static) -> io::Result<String> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let said = line.trim_end().trim_end_matches('.');
            if said.contains("port not available") {
                let _ = tell.send(Err(io::Error::new(io::ErrorKind::AddrInUse, line)));
            } else if let Some((_, port)) = said.split_once("started successfully on port ") {
                let _ = tell.send(Ok(port.to_owned()));
            }
        }
    });
    let error = |error| io::Error::other(format!("chromedriver does not listen: {error}"));
    told.recv_timeout(Duration::from_secs(60)).map_err(error)?
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

struct Programs {
    chromium: PathBuf,
    chromedriver: PathBuf,
}

impl Programs {
    fn find() -> Option<Self> {
        let chromium =
            ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| on_path(name))?;
        Some(Programs { chromium, chromedriver: on_path("chromedriver")? })
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[derive(Debug)]
struct DevTools {
    name: &'static str,
    params: serde_json::Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.name, "params": self.params }).to_string()))
    }
}

#[test]
fn a_driver_that_finds_its_port_taken_is_started_again_and_one_that_ends_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let pretend = |script: &str| {
        let [text, path] = ["text", "chromedriver"].map(|name| folder.path().join(name));
        fs::write(&text, format!("#!/bin/sh\ncd {}\n{script}\n", folder.path().display())).unwrap();
        // Written by another process: a program that another thread's child holds open for writing cannot be started.
        assert!(Command::new("install").args([&text, &path]).status().unwrap().success());
        Browser::start(&Programs { chromium: PathBuf::new(), chromedriver: path })
    };
    let started = pretend(
        "if [ -e second ]; then echo 'ChromeDriver was started successfully on port 4321.'; exec sleep 60; fi
         [ ! -e first ] || : > second
         : > first
         echo 'IPv4 port not available. Exiting...'
         exit 1",
    );
    assert_eq!(started.unwrap().address, "http://127.0.0.1:4321");
    assert!(folder.path().join("second").exists());
    pretend("echo 'What is this?'; exit 1").err().unwrap();
}
