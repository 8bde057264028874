//! Probes and lifecycle hooks, by kubelet's rules.

use std::time::Duration;

use async_trait::async_trait;
use orlop_model::Str;
use orlop_model::core::v1::{Container, LifecycleHandler, Probe};
use tokio::time::timeout;

use super::connect::{connect, host_or, port};
use super::grpc;
use super::http::{Agent, get};
use crate::expand::expand;
use crate::runtime::{ExecOutput, ProbeAnswer, RuntimeError, RuntimeResult, Target};

/// Bytes of output that an event tells.
pub(crate) const MAX_OUTPUT: usize = 10 << 10;

/// Whoever runs commands in containers.
#[async_trait]
pub(crate) trait Exec: Sync {
    /// Runs a command to its end. Of its outputs the beginning will do.
    async fn exec(&self, id: &str, command: &[Str], limit: Option<Duration>) -> RuntimeResult<ExecOutput>;
}

fn failed(output: impl Into<String>) -> ProbeAnswer {
    ProbeAnswer { well: false, warning: false, output: output.into() }
}

fn well() -> ProbeAnswer {
    ProbeAnswer { well: true, warning: false, output: String::new() }
}

/// The command of a probe: `$(NAME)` is replaced by values that the container's own variables have as text; those from
/// elsewhere count as empty.
fn command(container: &Container, command: &[Str]) -> Vec<Str> {
    let value = |name: &str| {
        let variable = container.env.iter().rev().find(|variable| variable.name == *name)?;
        Some(if variable.value_from.is_some() { "" } else { variable.value.as_str() })
    };
    command.iter().map(|word| expand(word, value).into()).collect()
}

/// Runs a probe once.
///
/// # Errors
/// The probe could not be run, which says nothing about the container.
pub(crate) async fn probe(exec: &impl Exec, target: &Target, probe: &Probe) -> RuntimeResult<ProbeAnswer> {
    let limit = Duration::from_secs(u64::try_from(probe.timeout_seconds).unwrap_or(1).max(1));
    let late = || format!("context deadline exceeded (timeout {limit:?} exceeded)");
    let handler = &probe.handler;
    if let Some(action) = &handler.exec {
        let command = command(&target.container, &action.command);
        return match exec.exec(&target.id, &command, Some(limit)).await {
            Ok(output) => Ok(ProbeAnswer { well: output.code == 0, warning: false, output: text(&output) }),
            Err(RuntimeError::Timeout { after }) => {
                let words: Vec<&str> = command.iter().map(Str::as_str).collect();
                Ok(failed(format!("command timed out: {:?} timed out after {after:?}", words.join(" "))))
            }
            Err(error) => Err(error),
        };
    }
    if let Some(action) = &handler.http_get {
        let answer = match timeout(limit, get(action, &target.container, &target.ip, Agent::Probe)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(problem)) => return Ok(failed(problem)),
            Err(_) => return Ok(failed(late())),
        };
        return Ok(match answer.status {
            200..300 => ProbeAnswer { well: true, warning: false, output: answer.body },
            300..400 => ProbeAnswer {
                well: true,
                warning: true,
                output: format!("Probe terminated redirects, Response body: {}", answer.body),
            },
            status => failed(format!("HTTP probe failed with statuscode: {status}")),
        });
    }
    if let Some(action) = &handler.tcp_socket {
        let port = port(&action.port, &target.container).map_err(RuntimeError::failed)?;
        return Ok(match timeout(limit, connect(host_or(&action.host, &target.ip), port)).await {
            Ok(Ok(_)) => well(),
            Ok(Err(problem)) => failed(problem),
            Err(_) => failed(late()),
        });
    }
    if let Some(action) = &handler.grpc {
        let port = u16::try_from(action.port)
            .map_err(|_| RuntimeError::failed(format!("invalid port number: {}", action.port)))?;
        let service = action.service.as_deref().unwrap_or_default();
        return Ok(match timeout(limit, grpc::check(&target.ip, port, service)).await {
            Ok(Ok(())) => well(),
            Ok(Err(problem)) => failed(problem),
            Err(_) => failed("timeout: health rpc did not complete within the timeout"),
        });
    }
    Err(RuntimeError::failed("missing probe handler"))
}

/// Runs a hook to its end.
///
/// # Errors
/// The command failed, or there was no answer. Any answer by HTTP will do.
pub(crate) async fn hook(exec: &impl Exec, target: &Target, handler: &LifecycleHandler) -> RuntimeResult<()> {
    if let Some(action) = &handler.exec {
        let output = exec.exec(&target.id, &action.command, None).await?;
        if output.code == 0 {
            return Ok(());
        }
        let words: Vec<&str> = action.command.iter().map(Str::as_str).collect();
        return Err(RuntimeError::failed(format!(
            "command '{}' exited with {}: {}",
            words.join(" "),
            output.code,
            text(&output)
        )));
    }
    if let Some(action) = &handler.http_get {
        get(action, &target.container, &target.ip, Agent::Hook).await.map_err(RuntimeError::failed)?;
        return Ok(());
    }
    Err(RuntimeError::failed("invalid handler"))
}

/// What a command wrote, standard output first.
fn text(output: &ExecOutput) -> String {
    let mut all = output.stdout.clone();
    all.extend_from_slice(&output.stderr);
    all.truncate(MAX_OUTPUT);
    String::from_utf8_lossy(&all).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;

    /// Ends with the code that the command's first word is, after echoing the others; `slow` takes too long.
    struct Echo;

    #[async_trait]
    impl Exec for Echo {
        async fn exec(&self, _: &str, command: &[Str], limit: Option<Duration>) -> RuntimeResult<ExecOutput> {
            if command[0] == *"slow" {
                return Err(RuntimeError::Timeout { after: limit.unwrap_or_default() });
            }
            let code = command[0].parse().map_err(|_| RuntimeError::failed("no such program"))?;
            Ok(ExecOutput { code, stdout: command[1..].join(" ").into_bytes(), stderr: b"!".to_vec() })
        }
    }

    fn target() -> Target {
        let container = json!({"name": "c", "env": [
            {"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ]});
        Target {
            pod: Arc::default(),
            container: Arc::new(serde_json::from_value(container).unwrap()),
            id: "x".into(),
            ip: "127.0.0.1".into(),
        }
    }

    async fn run(handler: serde_json::Value) -> RuntimeResult<ProbeAnswer> {
        probe(&Echo, &target(), &serde_json::from_value(handler).unwrap()).await
    }

    #[tokio::test]
    async fn commands() {
        let answer = run(json!({"exec": {"command": ["0", "$(A)$(B)$(C)"]}})).await.unwrap();
        assert_eq!((answer.well, answer.output.as_str()), (true, "1$(C)!"));
        assert!(!run(json!({"exec": {"command": ["1"]}})).await.unwrap().well);
        assert!(!run(json!({"exec": {"command": ["slow"]}})).await.unwrap().well);
        assert!(run(json!({"exec": {"command": ["gone"]}})).await.is_err());
        let handler: LifecycleHandler =
            serde_json::from_value(json!({"exec": {"command": ["3", "x"]}})).unwrap();
        let error = hook(&Echo, &target(), &handler).await.unwrap_err();
        assert_eq!(error.to_string(), "command '3 x' exited with 3: x!");
    }

    #[tokio::test]
    async fn sockets() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(run(json!({"tcpSocket": {"port": port}})).await.unwrap().well);
        // Nobody answers there: connected, but no HTTP.
        let silent = run(json!({"httpGet": {"port": port}, "timeoutSeconds": 1})).await.unwrap();
        assert!(!silent.well && silent.output.contains("deadline exceeded"));
        drop(listener);
        let answer = run(json!({"tcpSocket": {"port": port}})).await.unwrap();
        assert_eq!(answer.output, format!("dial tcp 127.0.0.1:{port}: connect: connection refused"));
        assert!(run(json!({})).await.is_err());
    }
}
