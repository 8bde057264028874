//! Connections of probes and hooks.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use orlop_model::core::v1::Container;
use orlop_model::{IntOrString, Str};
use tokio::net::TcpStream;

/// Sockets of probes linger this long, so that closed ones do not pile up waiting (kubelet does the same).
const LINGER: Duration = Duration::from_secs(1);

/// A port by its number, or by its name among the container's ports.
///
/// # Errors
/// The container has no such port, or it is none.
pub(crate) fn port(port: &IntOrString, container: &Container) -> Result<u16, String> {
    let number = match port {
        IntOrString::Int(number) => i64::from(*number),
        IntOrString::String(name) => match container.ports.iter().find(|port| port.name == *name) {
            Some(port) => i64::from(port.container_port),
            None => name
                .parse()
                .map_err(|_| format!("strconv.Atoi: parsing {:?}: invalid syntax", name.as_str()))?,
        },
    };
    match u16::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("invalid port number: {number}")),
    }
}

/// `host:port`, with IPv6 addresses in brackets.
pub(crate) fn authority(host: &str, port: u16) -> String {
    match host.parse() {
        Ok(IpAddr::V6(_)) => format!("[{host}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

/// Connects.
///
/// # Errors
/// With the text that people know from a probe that failed.
pub(crate) async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let told = |error: io::Error| {
        let text = match error.kind() {
            io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
            io::ErrorKind::HostUnreachable => "connect: no route to host".to_owned(),
            io::ErrorKind::NetworkUnreachable => "connect: network is unreachable".to_owned(),
            _ => error.to_string(),
        };
        format!("dial tcp {}: {text}", authority(host, port))
    };
    let stream = match host.parse::<IpAddr>() {
        Ok(ip) => TcpStream::connect(SocketAddr::new(ip, port)).await,
        Err(_) => TcpStream::connect((host, port)).await,
    };
    let stream = stream.map_err(told)?;
    rustix::net::sockopt::set_socket_linger(&stream, Some(LINGER)).map_err(|error| told(error.into()))?;
    Ok(stream)
}

/// The host that a handler speaks to: its own, or else the pod.
pub(crate) fn host_or<'a>(host: &'a Str, ip: &'a Str) -> &'a str {
    if host.is_empty() { ip } else { host }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_by_name_and_number() {
        let container: Container = serde_json::from_value(
            json!({"name": "c", "ports": [{"name": "web", "containerPort": 8080}, {"name": "80", "containerPort": 81}]}),
        )
        .unwrap();
        let read = |text: &str| port(&IntOrString::String(text.into()), &container);
        assert_eq!(read("web").unwrap(), 8080);
        assert_eq!(read("80").unwrap(), 81);
        assert_eq!(read("443").unwrap(), 443);
        assert!(read("nope").is_err() && read("0").is_err() && read("70000").is_err());
        assert_eq!(port(&IntOrString::Int(9), &container).unwrap(), 9);
        assert_eq!(authority("fd00::1", 80), "[fd00::1]:80");
    }
}
