//! The health check of gRPC (`grpc.health.v1.Health/Check`), without a gRPC library: one message each way.

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, TE, USER_AGENT};
use hyper::{HeaderMap, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::connect::{authority, connect};

/// Bytes of an answer that are looked at.
const MAX_ANSWER: usize = 64 << 10;
/// `SERVING` of `HealthCheckResponse.ServingStatus`.
const SERVING: u64 = 1;

/// Asks a server for the health of one of its services; empty: of all.
///
/// # Errors
/// Why it is not well, in the words that people know.
pub(crate) async fn check(host: &str, port: u16, service: &str) -> Result<(), String> {
    let refused = |error: String| format!("error: health rpc probe failed: {error}");
    let stream = connect(host, port)
        .await
        .map_err(|error| format!("error: failed to connect service {:?}: {error}", authority(host, port)))?;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(|error| refused(error.to_string()))?;
    let request = Request::post(format!("http://{}/grpc.health.v1.Health/Check", authority(host, port)))
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .header(USER_AGENT, "kube-probe/1.36")
        .body(Full::new(Bytes::from(message(service))))
        .map_err(|error| refused(error.to_string()))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| refused(error.to_string()))?;
        if !response.status().is_success() {
            return Err(refused(format!("unexpected HTTP status code {}", response.status().as_u16())));
        }
        let (head, mut body) = response.into_parts();
        let mut data = Vec::new();
        // Without a message the status is among the first headers.
        let mut trailers = head.headers;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| refused(error.to_string()))?;
            match frame.into_data() {
                Ok(bytes) => data.extend_from_slice(&bytes),
                Err(frame) => {
                    if let Ok(more) = frame.into_trailers() {
                        trailers.extend(more);
                    }
                }
            }
            if data.len() > MAX_ANSWER {
                return Err(refused("the answer is too long".to_owned()));
            }
        }
        judge(&trailers, &data)
    };
    tokio::pin!(connection, exchange);
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            answer = &mut exchange => return answer,
            _ = &mut connection, if open => open = false,
        }
    }
}

/// `HealthCheckRequest{service}` in a frame: one byte of flags, the length, the message.
fn message(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push(length as u8 | 0x80);
            length >>= 7;
        }
        message.push(length as u8);
        message.extend_from_slice(service.as_bytes());
    }
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend(message);
    frame
}

fn judge(headers: &HeaderMap, data: &[u8]) -> Result<(), String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match text("grpc-status") {
        "0" | "" => {}
        "12" => {
            return Err(
                "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
                    .to_owned()
                    + text("grpc-message"),
            );
        }
        "4" => return Err("timeout: health rpc did not complete within the timeout".to_owned()),
        code => {
            return Err(format!(
                "error: health rpc probe failed: rpc error: code = {code} desc = {}",
                text("grpc-message")
            ));
        }
    }
    let status = status(data).ok_or("error: health rpc probe failed: the answer cannot be read")?;
    let name = match status {
        SERVING => return Ok(()),
        0 => "UNKNOWN".to_owned(),
        2 => "NOT_SERVING".to_owned(),
        3 => "SERVICE_UNKNOWN".to_owned(),
        other => other.to_string(),
    };
    Err(format!("service unhealthy (responded with {name:?})"))
}

/// Field 1 of the message in a frame; 0 if it is absent.
fn status(data: &[u8]) -> Option<u64> {
    let (head, mut message) = data.split_at_checked(5)?;
    let length = u32::from_be_bytes(head[1..5].try_into().ok()?);
    if head[0] != 0 || message.len() != usize::try_from(length).ok()? {
        return None;
    }
    let mut status = 0;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        match key & 7 {
            0 => {
                let value = varint(&mut message)?;
                if key >> 3 == 1 {
                    status = value;
                }
            }
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                message = message.get(length..)?;
            }
            _ => return None,
        }
    }
    Some(status)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::StreamBody;
    use hyper::Response;
    use hyper::body::Frame;
    use hyper::service::service_fn;
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one call: with this status of the service, or this code.
    async fn server(answer: Result<u8, &'static str>) -> (u16, tokio::task::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (tell, mut asked) = tokio::sync::mpsc::channel(1);
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let tell = tell.clone();
                async move {
                    assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    tell.send(body.to_vec()).await.unwrap();
                    let mut trailers = HeaderMap::new();
                    let (code, data) = match answer {
                        Ok(status) => ("0", vec![0, 0, 0, 0, 2, 8, status]),
                        Err(code) => (code, Vec::new()),
                    };
                    trailers.insert("grpc-status", code.parse().unwrap());
                    let frames =
                        [Ok::<_, Infallible>(Frame::data(Bytes::from(data))), Ok(Frame::trailers(trailers))];
                    let body = StreamBody::new(futures::stream::iter(frames));
                    Ok::<_, Infallible>(Response::new(body))
                }
            });
            let serve = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            drop(serve.await);
            asked.recv().await.unwrap()
        });
        (port, task)
    }

    #[tokio::test]
    async fn health_is_told() {
        let (port, asked) = server(Ok(1)).await;
        assert_eq!(check("127.0.0.1", port, "db").await, Ok(()));
        assert_eq!(asked.await.unwrap(), b"\0\0\0\0\x04\x0a\x02db");
        let (port, _asked) = server(Ok(2)).await;
        let error = check("127.0.0.1", port, "").await.unwrap_err();
        assert_eq!(error, "service unhealthy (responded with \"NOT_SERVING\")");
        let (port, _asked) = server(Err("12")).await;
        assert!(check("127.0.0.1", port, "").await.unwrap_err().contains("does not implement"));
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        assert!(check("127.0.0.1", closed, "").await.unwrap_err().contains("connection refused"));
    }
}
