//! `--health`: asks the server of this configuration whether it lives, as containers want it of the
//! image itself.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::config::Config;

/// Longest time to connect, and for the answer: longer than the server takes to find out that it is
/// stuck.
const PATIENCE: Duration = Duration::from_secs(6);
/// What is read of an answer at most.
const ANSWER_BYTES: u64 = 4096;

/// Asks on the address of administration, which speaks plain HTTP.
///
/// # Errors
/// Why it does not live, as far as can be seen from here.
pub fn health(config: &Config) -> Result<(), String> {
    let (_, admin) = config.listen.addresses()?;
    let address = reachable(admin);
    let failed = |error: std::io::Error| format!("{address}: {error}");
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let request = format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    socket.take(ANSWER_BYTES).read_to_end(&mut answer).map_err(failed)?;
    let answer = String::from_utf8_lossy(&answer);
    match answer.lines().next() {
        Some("HTTP/1.1 200 OK") => Ok(()),
        line => Err(format!("{address}: expected HTTP/1.1 200 OK, got {}", line.unwrap_or("nothing"))),
    }
}

/// An address that listens on all interfaces is reached by the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_interfaces_are_asked_by_the_loopback() {
        let asked = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:9464"), "127.0.0.1:9464");
        assert_eq!(asked("[::]:9464"), "[::1]:9464");
        assert_eq!(asked("10.0.0.7:1"), "10.0.0.7:1");
    }
}
