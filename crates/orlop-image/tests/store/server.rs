//! A small registry on loopback, which can be told to misbehave.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use base64::Engine as _;
use orlop_image::{Digest, RegistryOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Who may pull.
#[derive(Clone, Debug, Default)]
pub(crate) enum Guard {
    #[default]
    Nobody,
    Basic(&'static str),
    /// Tokens are given to these.
    Bearer(&'static str),
    /// Only this token.
    Token(&'static str),
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) blobs: HashMap<String, Vec<u8>>,
    pub(crate) tags: HashMap<String, String>,
    pub(crate) guard: Guard,
    /// So many answers are 503.
    pub(crate) unavailable: u32,
    /// Blobs are cut off after so many bytes, so many times.
    pub(crate) cut: (usize, u32),
    /// Blobs are elsewhere.
    pub(crate) redirect: Option<String>,
    /// Whether ranges are understood.
    pub(crate) ranges: bool,
    /// Blobs are held back until this is notified.
    pub(crate) hold: Option<Arc<tokio::sync::Semaphore>>,
    /// Method and path of each request, with what it had as authorization.
    pub(crate) log: Vec<(String, Option<String>)>,
}

pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) state: Arc<Mutex<State>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let (served, name) = (Arc::clone(&state), host.clone());
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (state, host) = (Arc::clone(&served), name.clone());
                connections.spawn(async move {
                    let _ = serve(stream, &state, &host).await;
                });
            }
        });
        Self { host, state, task }
    }

    pub(crate) fn options(&self) -> RegistryOptions {
        let mut options = RegistryOptions::default();
        options.plain_http = vec![self.host.clone()];
        options.wait = std::time::Duration::from_millis(1);
        options
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().expect("nobody panicked"))
    }

    pub(crate) fn add(&self, bytes: impl Into<Vec<u8>>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::sha256(&bytes);
        self.with(|state| state.blobs.insert(digest.to_string(), bytes));
        digest
    }

    pub(crate) fn tag(&self, tag: &str, digest: &Digest) {
        self.with(|state| state.tags.insert(tag.to_owned(), digest.to_string()));
    }

    /// How often a path with this in it was asked for.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.with(|state| state.log.iter().filter(|(line, _)| line.contains(part)).count())
    }
}

struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Send only so much of the body.
    cut: Option<usize>,
}

fn answer(status: &'static str, body: impl Into<Vec<u8>>) -> Answer {
    Answer { status, headers: Vec::new(), body: body.into(), cut: None }
}

async fn serve(mut stream: TcpStream, state: &Mutex<State>, host: &str) -> std::io::Result<()> {
    let mut head = Vec::new();
    loop {
        while !head.ends_with(b"\r\n\r\n") {
            let byte = stream.read_u8().await?;
            head.push(byte);
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        head.clear();
        let line = text.lines().next().unwrap_or_default().to_owned();
        let header = |name: &str| {
            text.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let (authorization, range) = (header("authorization"), header("range"));
        let hold = {
            let mut state = state.lock().expect("nobody panicked");
            state.log.push((line.clone(), authorization.clone()));
            state.hold.clone().filter(|_| line.contains("/blobs/"))
        };
        if let Some(hold) = hold {
            let _permit = hold.acquire().await;
        }
        let answer = respond(&mut state.lock().expect("nobody panicked"), host, &line, authorization, range);
        let mut out = format!("HTTP/1.1 {}\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("\r\n");
        stream.write_all(out.as_bytes()).await?;
        match answer.cut {
            Some(length) => {
                stream.write_all(&answer.body[..length.min(answer.body.len())]).await?;
                return stream.shutdown().await;
            }
            None => stream.write_all(&answer.body).await?,
        }
    }
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials))
}

fn respond(
    state: &mut State,
    host: &str,
    line: &str,
    authorization: Option<String>,
    range: Option<String>,
) -> Answer {
    let path = line.split(' ').nth(1).unwrap_or_default();
    if state.unavailable > 0 {
        state.unavailable -= 1;
        return answer("503 Service Unavailable", "later");
    }
    if let Some(query) = path.strip_prefix("/token?") {
        return match &state.guard {
            Guard::Bearer(credentials)
                if authorization == Some(basic(credentials))
                    && query.contains("scope=repository%3Ateam%2Fapp%3Apull") =>
            {
                answer("200 OK", r#"{"token": "given", "expires_in": 300}"#)
            }
            _ => answer("401 Unauthorized", r#"{"errors": [{"code": "UNAUTHORIZED", "message": "who?"}]}"#),
        };
    }
    let (allowed, challenge) = match &state.guard {
        Guard::Nobody => (true, String::new()),
        Guard::Basic(credentials) => {
            (authorization == Some(basic(credentials)), "Basic realm=\"x\"".to_owned())
        }
        Guard::Bearer(_) => (
            authorization.as_deref() == Some("Bearer given"),
            format!("Bearer realm=\"http://{host}/token\",service=\"s\",scope=\"repository:team/app:pull\""),
        ),
        Guard::Token(token) => {
            (authorization == Some(format!("Bearer {token}")), "Bearer realm=\"x\"".to_owned())
        }
    };
    if !allowed {
        let mut denied =
            answer("401 Unauthorized", r#"{"errors": [{"code": "UNAUTHORIZED", "message": "who?"}]}"#);
        denied.headers.push(("WWW-Authenticate", challenge));
        return denied;
    }
    if path == "/v2/" {
        return answer("200 OK", "{}");
    }
    if let Some(reference) = path.strip_prefix("/v2/team/app/manifests/") {
        let digest = state.tags.get(reference).cloned().unwrap_or_else(|| reference.to_owned());
        return match state.blobs.get(&digest) {
            Some(bytes) => answer("200 OK", bytes.clone()),
            None => answer(
                "404 Not Found",
                r#"{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "no such manifest"}]}"#,
            ),
        };
    }
    if let Some(digest) =
        path.strip_prefix("/v2/team/app/blobs/").or_else(|| path.strip_prefix("/elsewhere/"))
    {
        if let Some(redirect) = state.redirect.as_ref().filter(|_| path.starts_with("/v2/")) {
            let mut moved = answer("307 Temporary Redirect", "");
            moved.headers.push(("Location", format!("{redirect}/elsewhere/{digest}")));
            return moved;
        }
        let Some(bytes) = state.blobs.get(digest) else {
            return answer(
                "404 Not Found",
                r#"{"errors": [{"code": "BLOB_UNKNOWN", "message": "no such blob"}]}"#,
            );
        };
        let from = range
            .filter(|_| state.ranges)
            .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        let mut found = match from {
            Some(from) => {
                let mut part = answer("206 Partial Content", &bytes[from..]);
                part.headers
                    .push(("Content-Range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len())));
                part
            }
            None => answer("200 OK", bytes.clone()),
        };
        if state.cut.1 > 0 && found.body.len() > state.cut.0 {
            state.cut.1 -= 1;
            found.cut = Some(state.cut.0);
        }
        return found;
    }
    answer("404 Not Found", "nothing here")
}
