//! What runs in the containers of Linux nodes: this program itself, as a web server or a batch job.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;

/// Names the part that the program plays in a container.
pub(crate) const ROLE: &str = "ORLOP_EXAMPLE_ROLE";

/// Plays the part that a container asks for; `None` outside of containers.
pub(crate) fn play() -> Option<ExitCode> {
    match std::env::var(ROLE).ok()?.as_str() {
        "web" => Some(serve()),
        "batch" => {
            println!(
                "counted {} words",
                std::env::var("TEXT").unwrap_or_default().split_whitespace().count()
            );
            Some(ExitCode::SUCCESS)
        }
        role => {
            eprintln!("there is no role {role:?}");
            Some(ExitCode::from(2))
        }
    }
}

/// Answers with a greeting from a file, the pod's name and its version; `/crash` ends it.
fn serve() -> ExitCode {
    let name = std::env::var("HOSTNAME").unwrap_or_default();
    let version = std::env::var("VERSION").unwrap_or_default();
    let listener = match TcpListener::bind((Ipv4Addr::UNSPECIFIED, 8080)) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("port 8080: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("serving version {version}");
    for mut stream in listener.incoming().flatten() {
        let mut request = [0; 1024];
        let count = stream.read(&mut request).unwrap_or(0);
        let request = String::from_utf8_lossy(&request[..count]);
        if request.starts_with("GET /crash") {
            eprintln!("crashing, as asked");
            return ExitCode::FAILURE;
        }
        let greeting = std::fs::read_to_string("/etc/greeting/text").unwrap_or_default();
        let body = format!("{} from {name}, version {version}\n", greeting.trim());
        // Whoever hangs up does not want the answer.
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
    }
    ExitCode::SUCCESS
}
