//! Requests of HTTP probes and hooks, by kubelet's rules.

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use orlop_model::core::v1::{Container, HTTPGetAction};
use orlop_model::{List, Str};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::Url;

use super::connect::{authority, connect, host_or, port};

/// Bytes of an answer that are looked at.
const MAX_BODY: usize = 10 << 10;
/// So many redirects are followed.
const MAX_REDIRECTS: usize = 10;

/// What a server has answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Its first 10 KiB.
    pub(crate) body: String,
}

/// Whom the request says it is from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Agent {
    Probe,
    Hook,
}

impl Agent {
    fn text(self) -> &'static str {
        match self {
            Self::Probe => "kube-probe/1.36",
            Self::Hook => "kube-lifecycle/1.36",
        }
    }
}

/// The address that an action asks.
///
/// # Errors
/// Its port is none, or the whole is no address.
pub(crate) fn target(action: &HTTPGetAction, container: &Container, ip: &Str) -> Result<Url, String> {
    let port = port(&action.port, container)?;
    let scheme = match action.scheme.as_str() {
        "" => "http".to_owned(),
        scheme => scheme.to_lowercase(),
    };
    if scheme != "http" && scheme != "https" {
        return Err(format!("unsupported protocol scheme {scheme:?}"));
    }
    let base = format!("{scheme}://{}", authority(host_or(&action.host, ip), port));
    let slash = if action.path.starts_with('/') { "" } else { "/" };
    Url::parse(&format!("{base}{slash}{}", action.path)).map_err(|error| format!("{base}: {error}"))
}

/// The headers of a request, in order.
///
/// # Errors
/// A name or a value that cannot be in a request.
fn headers(list: &List<orlop_model::core::v1::HTTPHeader>, agent: Agent) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for header in list {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = HeaderValue::from_bytes(header.value.as_bytes());
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(format!("net/http: invalid header field {:?}", header.name.as_str()));
        };
        headers.append(name, value);
    }
    if !headers.contains_key(USER_AGENT) {
        headers.insert(USER_AGENT, HeaderValue::from_static(agent.text()));
    }
    match headers.get(ACCEPT) {
        None => {
            headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        }
        // An empty one asks for none.
        Some(value) if value.is_empty() => {
            headers.remove(ACCEPT);
        }
        Some(_) => {}
    }
    Ok(headers)
}

/// Asks once; redirects are followed as long as they lead to the same host.
///
/// # Errors
/// There was no answer.
pub(crate) async fn get(
    action: &HTTPGetAction,
    container: &Container,
    ip: &Str,
    agent: Agent,
) -> Result<Answer, String> {
    let mut url = target(action, container, ip)?;
    let first_host = url.host_str().unwrap_or_default().to_owned();
    #[cfg_attr(
        not(feature = "https"),
        expect(unused_mut, reason = "only what goes on without TLS is changed")
    )]
    let mut headers = headers(&action.http_headers, agent)?;
    let mut redirects = 0;
    loop {
        let asked = ask(&url, &headers, redirects == 0).await;
        #[cfg(feature = "https")]
        if let (Err(error), Agent::Hook, "https") = (&asked, agent, url.scheme())
            && error == super::tls::PLAIN
            && let (Ok(port), Ok(())) = (port(&action.port, container), url.set_scheme("http"))
            && url.set_port(Some(port)).is_ok()
        {
            // Hooks of old spoke HTTP whatever they were told. Nobody else is to hear what was meant for TLS.
            headers.remove(hyper::header::AUTHORIZATION);
            continue;
        }
        let told = |error: String| format!("Get {:?}: {error}", url.as_str());
        let (status, location, body) = asked.map_err(told)?;
        let next = location.filter(|_| [301, 302, 303, 307, 308].contains(&status.as_u16()));
        let next = next.and_then(|location| url.join(&location).ok());
        let Some(next) = next.filter(|next| next.host_str().unwrap_or_default() == first_host) else {
            return Ok(Answer { status: status.as_u16(), body });
        };
        redirects += 1;
        if redirects >= MAX_REDIRECTS {
            return Err(format!("Get {:?}: stopped after {MAX_REDIRECTS} redirects", next.as_str()));
        }
        url = next;
    }
}

/// A connection, with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

#[cfg(feature = "https")]
async fn secured(host: &str, stream: TcpStream) -> Result<Box<dyn Stream>, String> {
    Ok(Box::new(super::tls::connect(host, stream).await?))
}

#[cfg(not(feature = "https"))]
async fn secured(_: &str, _: TcpStream) -> Result<Box<dyn Stream>, String> {
    Err("this runtime is built without HTTPS".to_owned())
}

/// One request on a connection of its own.
async fn ask(
    url: &Url,
    headers: &HeaderMap,
    first: bool,
) -> Result<(StatusCode, Option<String>, String), String> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let stream = connect(bare, port).await?;
    let stream = match url.scheme() {
        "http" => Box::new(stream) as Box<dyn Stream>,
        _ => secured(bare, stream).await?,
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    *request.headers_mut() = headers.clone();
    // A host given as header is meant for the first server only.
    if !first || !headers.contains_key(HOST) {
        let value = HeaderValue::from_str(&url[url::Position::BeforeHost..url::Position::AfterPort])
            .map_err(|error| error.to_string())?;
        request.headers_mut().insert(HOST, value);
    }
    request.headers_mut().insert(hyper::header::CONNECTION, HeaderValue::from_static("close"));
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let location =
            response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        let mut limited = Limited::new(response.into_body(), MAX_BODY + (64 << 10));
        while body.len() < MAX_BODY {
            match limited.frame().await {
                Some(Ok(frame)) => body.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..])),
                Some(Err(error)) => return Err(error.to_string()),
                None => break,
            }
        }
        body.truncate(MAX_BODY);
        Ok((status, location, String::from_utf8_lossy(&body).into_owned()))
    };
    tokio::pin!(connection, exchange);
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            answer = &mut exchange => return answer,
            // The connection must be driven; it may be done before the answer has been read.
            _ = &mut connection, if open => open = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers requests, one after the other, and gives back what it was asked.
    async fn server(answers: Vec<String>) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(stream.read_u8().await.unwrap());
                }
                stream.write_all(answer.replace("PORT", &port.to_string()).as_bytes()).await.unwrap();
                asked.push(String::from_utf8(request).unwrap());
            }
            asked
        });
        (port, task)
    }

    fn action(port: u16, more: serde_json::Value) -> HTTPGetAction {
        let mut value = json!({"port": port, "path": "/a b?x=1", "host": "127.0.0.1"});
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    async fn ask_once(port: u16, more: serde_json::Value) -> Result<Answer, String> {
        get(&action(port, more), &Container::default(), &"10.0.0.1".into(), Agent::Probe).await
    }

    #[tokio::test]
    async fn a_request_is_kubelets() {
        let (port, asked) = server(vec!["HTTP/1.1 204 No Content\r\n\r\n".to_owned()]).await;
        let answer = ask_once(
            port,
            json!({"httpHeaders": [{"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]}),
        );
        assert_eq!(answer.await.unwrap().status, 204);
        let asked = asked.await.unwrap().remove(0);
        assert!(asked.starts_with("GET /a%20b?x=1 HTTP/1.1\r\n"), "{asked}");
        for line in ["user-agent: kube-probe/1.36", "accept: */*", "x-a: 1\r\nx-a: 2", "connection: close"] {
            assert!(asked.contains(line), "{asked}");
        }
        assert!(asked.contains(&format!("host: 127.0.0.1:{port}")), "{asked}");
    }

    #[tokio::test]
    async fn redirects_stay_on_the_host() {
        let (port, asked) = server(vec![
            "HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n".to_owned(),
            "HTTP/1.1 302 Found\r\nLocation: http://example.com/\r\ncontent-length: 3\r\n\r\nout".to_owned(),
        ])
        .await;
        let answer = ask_once(
            port,
            json!({"httpHeaders": [{"name": "Accept", "value": ""}, {"name": "Host", "value": "own"}]}),
        );
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (302, "out"));
        let asked = asked.await.unwrap();
        assert!(asked[0].contains("host: own\r\n") && !asked[0].contains("accept"), "{asked:?}");
        assert!(asked[1].starts_with("GET /there ") && asked[1].contains("host: 127.0.0.1"), "{asked:?}");
    }

    #[tokio::test]
    async fn nobody_answers() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let error = ask_once(closed, json!({})).await.unwrap_err();
        assert!(
            error.ends_with(&format!("dial tcp 127.0.0.1:{closed}: connect: connection refused")),
            "{error}"
        );
    }

    #[cfg(feature = "https")]
    #[tokio::test]
    async fn any_certificate_will_do() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = super::super::tls::tests::acceptor().accept(stream).await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell").await.unwrap();
            stream.shutdown().await.unwrap();
        });
        let answer = ask_once(port, json!({"scheme": "HTTPS"})).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "well"));
        served.await.unwrap();

        // Nobody speaks TLS there: a probe says so, a hook goes on without, and without what is secret.
        let plain = "HTTP/1.1 400 Bad Request\r\n\r\n".to_owned();
        let (port, asked) = plain_server(plain.clone()).await;
        let secret = json!({"scheme": "HTTPS", "httpHeaders": [{"name": "Authorization", "value": "x"}]});
        let error = ask_once(port, secret.clone()).await.unwrap_err();
        assert!(error.ends_with("server gave HTTP response to HTTPS client"), "{error}");
        let (hook, ip) = (action(port, secret), "10.0.0.1".into());
        let answer = get(&hook, &Container::default(), &ip, Agent::Hook).await.unwrap();
        assert_eq!(answer.status, 400);
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("GET /a%20b") && !asked.contains("authorization"), "{asked}");
    }

    /// Answers whatever comes, and tells the first request that is HTTP.
    #[cfg(feature = "https")]
    async fn plain_server(answer: String) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let count = stream.read(&mut request).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
                if request.starts_with(b"GET") {
                    request.truncate(count);
                    return String::from_utf8(request).unwrap();
                }
            }
        });
        (port, task)
    }
}
