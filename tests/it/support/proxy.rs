//! A wire that a test can cut: a TCP proxy in front of a server.

use std::io::copy;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Passes bytes on, until it is cut. It listens until the process ends.
pub struct Proxy {
    pub address: SocketAddr,
    /// What is open; nothing while the wire is cut.
    open: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Proxy {
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::new(Mutex::new(Some(Vec::new())));
        let known = Arc::clone(&open);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Cut: the client is dropped, which closes its connection.
                if let Some(sockets) = known.lock().unwrap().as_mut() {
                    let server = TcpStream::connect(server).unwrap();
                    for (from, to) in [(&client, &server), (&server, &client)] {
                        pass(from.try_clone().unwrap(), to.try_clone().unwrap());
                    }
                    sockets.extend([client, server]);
                }
            }
        });
        Self { address, open }
    }

    /// Cuts every connection, and every new one.
    pub fn cut(&self) {
        for socket in self.open.lock().unwrap().take().unwrap_or_default() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        *self.open.lock().unwrap() = Some(Vec::new());
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let _ = copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
