//! Small web servers for Chromium: applications that are not ours.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Answers every request, given with head and body, for as long as the tests run. Each connection has a thread of its
/// own: Chromium opens some that it does not use, for a minute.
pub fn serve(listener: TcpListener, answer: impl Fn(&str) -> String + Clone + Send + 'static) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (Ok(mut socket), answer) = (socket, answer.clone()) else { return };
            std::thread::spawn(move || {
                if let Some(request) = read(&mut socket) {
                    let _ = socket.write_all(answer(&request).as_bytes());
                }
            });
        }
    });
    address
}

/// The same answer to whatever is asked, on a free port.
pub fn answers(answer: String) -> SocketAddr {
    serve(TcpListener::bind("127.0.0.1:0").unwrap(), move |_| answer.clone())
}

pub fn page(text: &str) -> String {
    content("text/html", text)
}

pub fn content(kind: &str, text: &str) -> String {
    let length = text.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    )
}

fn read(socket: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let text = String::from_utf8_lossy(&read);
        if is_whole(&text) {
            return Some(text.into_owned());
        }
        match socket.read(&mut buffer) {
            Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
