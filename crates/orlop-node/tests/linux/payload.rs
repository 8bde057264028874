//! What runs in containers: this test, called as a program of its own.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};

/// Does nothing unless a container asks for something.
#[test]
fn run() {
    match std::env::var("ORLOP_PAYLOAD").as_deref() {
        Ok("serve") => serve(),
        Ok("ask") => ask(),
        Ok("grpc") => grpc(),
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

/// A server that tells of the health of the service `ready`, and of no other.
fn grpc() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("0.0.0.0:9090").await.unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(|request: Request<Incoming>| async {
                let asked = request.into_body().collect().await?.to_bytes();
                let status = if asked.ends_with(b"ready") { 1 } else { 2 };
                let trailers = [("grpc-status".parse().unwrap(), "0".parse().unwrap())].into_iter().collect();
                let data = Frame::data(Bytes::from(vec![0, 0, 0, 0, 2, 8, status]));
                let frames = [Ok::<_, Infallible>(data), Ok(Frame::trailers(trailers))];
                Ok::<_, hyper::Error>(Response::new(StreamBody::new(futures::stream::iter(frames))))
            });
            let serve = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(serve);
        }
    });
}
