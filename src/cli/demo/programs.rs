//! The demo applications, as processes that end with the demo.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::base::clock::Stopwatch;

use super::super::output::Failure;
use super::World;

const PATIENCE: Duration = Duration::from_secs(20);

/// The running applications; none where they were not built.
pub(super) struct Programs {
    children: Vec<(Child, String)>,
}

impl Programs {
    pub(super) fn start(folder: &Path, world: &World) -> Result<Self, Failure> {
        let mut programs = Self { children: Vec::new() };
        let names = ["spa", "resource-server", "confidential-client"];
        if !names.iter().all(|name| folder.join(name).is_file()) {
            return Ok(programs);
        }
        let (issuer, app, api, web) = (world.issuer(), world.app(), world.api(), world.web());
        let (app_origin, api_url) = (format!("http://{app}"), format!("http://{api}"));
        let secret = world.secret_file("demo-web");
        programs.run(
            folder,
            "spa",
            &app,
            &["--issuer", &issuer, "--client-id", "demo-spa", "--api", &api_url],
        )?;
        programs.run(
            folder,
            "resource-server",
            &api,
            &["--issuer", &issuer, "--audience", &api_url, "--allow-origin", &app_origin],
        )?;
        let secret = secret.display().to_string();
        programs.run(
            folder,
            "confidential-client",
            &web,
            &[
                "--issuer",
                &issuer,
                "--client-id",
                "demo-web",
                "--client-secret-file",
                &secret,
                "--api",
                &api_url,
            ],
        )?;
        Ok(programs)
    }

    fn run(&mut self, folder: &Path, name: &str, listen: &str, arguments: &[&str]) -> Result<(), Failure> {
        let child = Command::new(folder.join(name))
            .args(["--listen", listen])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| Failure::new(format!("{name}: {error}")))?;
        self.children.push((child, listen.to_owned()));
        Ok(())
    }

    pub(super) fn are_all_there(&self) -> bool {
        !self.children.is_empty()
    }

    pub(super) fn addresses(&self) -> Vec<String> {
        self.children.iter().map(|(_, address)| address.clone()).collect()
    }
}

/// Waits until every address answers.
pub(super) fn wait_for(addresses: &[String]) -> Result<(), Failure> {
    let begun = Stopwatch::start();
    for address in addresses {
        let parsed: SocketAddr = address.parse().map_err(Failure::new)?;
        while TcpStream::connect_timeout(&parsed, Duration::from_secs(1)).is_err() {
            if begun.elapsed() > PATIENCE {
                return Err(Failure::new(format!("the demo application at {address} does not answer")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

impl Drop for Programs {
    fn drop(&mut self) {
        for (child, _) in &mut self.children {
            // One that has ended by itself (Ctrl-C reaches them too) cannot be ended again.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
