//! What runs in containers: this test, called as a program of its own.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// Does nothing unless a container asks for something.
#[test]
fn run() {
    match std::env::var("ORLOP_PAYLOAD").as_deref() {
        Ok("serve") => serve(),
        Ok("ask") => ask(),
        _ => {}
    }
}

/// A web server with one answer.
fn serve() {
    let listener = TcpListener::bind("0.0.0.0:8080").unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut request = [0; 1024];
        // A connection of a probe may end without a word.
        if stream.read(&mut request).unwrap_or(0) > 0 {
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nserved");
        }
    }
}

fn ask() {
    let mut stream = TcpStream::connect(std::env::var("ORLOP_TARGET").unwrap()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    println!("\nanswer: {}", answer.rsplit("\r\n").next().unwrap());
}
