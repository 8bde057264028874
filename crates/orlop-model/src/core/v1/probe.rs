//! Probes and handlers.

use super::{Signal, URIScheme};
use crate::{Extra, IntOrString, List, Message, Str};

/// Runs a command inside the container; exit code 0 means success.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ExecAction {
    /// Program and arguments, run in the root directory of the container without a shell.
    #[wire(pb = 1)]
    pub command: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Probes a server with the standard gRPC health checking protocol.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct GRPCAction {
    /// Port of the gRPC server, 1 to 65535; required.
    #[wire(pb = 1, required)]
    pub port: i32,
    /// Service name put into the health request; empty by default, which asks for the server overall.
    #[wire(pb = 2, required, needless, default = "\"\"")]
    pub service: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Sends an HTTP `GET` request; status codes from 200 to 399 mean success.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HTTPGetAction {
    /// Path of the request URL; the API server fills in `/`.
    #[wire(pb = 1)]
    pub path: Str,
    /// Port number from 1 to 65535, or the name of a port of the container; required.
    #[wire(pb = 2, required)]
    pub port: IntOrString,
    /// Host to connect to; the IP address of the pod when empty.
    #[wire(pb = 3)]
    pub host: Str,
    /// Protocol, `HTTP` or `HTTPS`, whose certificate is not verified; defaults to `HTTP`.
    #[wire(pb = 4)]
    pub scheme: URIScheme,
    /// Headers added to the request; names may repeat, and `Host` sets the virtual host.
    #[wire(pb = 5)]
    pub http_headers: List<HTTPHeader>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A header sent along with an HTTP probe or hook.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HTTPHeader {
    /// Header name, put into canonical form when sent.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Header value, sent as it stands.
    #[wire(pb = 2, required)]
    pub value: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Hooks of a container around its start and its end.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Lifecycle {
    /// Run right after the container is created; should it fail, the container is killed and restarted as its
    /// policy says.
    #[wire(pb = 1)]
    pub post_start: Option<Box<LifecycleHandler>>,
    /// Run ahead of the stop signal when the container is terminated on purpose; counts against the grace
    /// period.
    #[wire(pb = 2)]
    pub pre_stop: Option<Box<LifecycleHandler>>,
    /// Signal sent to stop the container, allowed only if `spec.os.name` is set; otherwise that of the image
    /// or runtime.
    #[wire(pb = 3)]
    pub stop_signal: Option<Signal>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// What a hook does; exactly one action is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct LifecycleHandler {
    /// Runs a command inside the container.
    #[wire(pb = 1)]
    pub exec: Option<Box<ExecAction>>,
    /// Sends an HTTP request to the container.
    #[wire(pb = 2)]
    pub http_get: Option<Box<HTTPGetAction>>,
    /// Not carried out for hooks: kept for old clients, and fails when the hook runs.
    #[wire(pb = 3)]
    pub tcp_socket: Option<Box<TCPSocketAction>>,
    /// Does nothing but let the container wait for a while.
    #[wire(pb = 4)]
    pub sleep: Option<Box<SleepAction>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Periodic health check of a container by the kubelet, with its timing and thresholds.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Probe {
    /// Gives the check itself, a command, HTTP, TCP or gRPC call, directly among the fields of the probe.
    #[wire(inline, pb = 1)]
    pub handler: ProbeHandler,
    /// Seconds between container start and the first check; default 0.
    #[wire(pb = 2)]
    pub initial_delay_seconds: i32,
    /// Seconds after which an unanswered check counts as failed; default 1, minimum 1.
    #[wire(pb = 3)]
    pub timeout_seconds: i32,
    /// Seconds between two checks; default 10, minimum 1.
    #[wire(pb = 4)]
    pub period_seconds: i32,
    /// Successes in a row needed after a failure; default 1, and 1 is mandatory for liveness and startup
    /// probes.
    #[wire(pb = 5)]
    pub success_threshold: i32,
    /// Failures in a row that make the check fail; default 3, minimum 1.
    #[wire(pb = 6)]
    pub failure_threshold: i32,
    /// Seconds granted to the container when this probe kills it; at least 1, unset takes the Pod's; not for
    /// readiness.
    #[wire(pb = 7)]
    pub termination_grace_period_seconds: Option<i64>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// The action of a health check; exactly one member is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ProbeHandler {
    /// Command run in the container; exit code 0 means healthy.
    #[wire(pb = 1)]
    pub exec: Option<Box<ExecAction>>,
    /// HTTP GET request; a status code from 200 to 399 means healthy.
    #[wire(pb = 2)]
    pub http_get: Option<Box<HTTPGetAction>>,
    /// TCP connection attempt; an accepted connection means healthy.
    #[wire(pb = 3)]
    pub tcp_socket: Option<Box<TCPSocketAction>>,
    /// Call of the standard gRPC health service; the answer `SERVING` means healthy.
    #[wire(pb = 4)]
    pub grpc: Option<Box<GRPCAction>>,
}

/// Lifecycle hook that simply waits inside the kubelet, without running anything in the container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SleepAction {
    /// How many seconds to wait, from 0 up to the termination grace period.
    #[wire(pb = 1, required)]
    pub seconds: i64,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Health check or hook that opens a TCP connection.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TCPSocketAction {
    /// Port number, 1 to 65535, or name of a container port.
    #[wire(pb = 1, required)]
    pub port: IntOrString,
    /// Host name or address to connect to; default is the Pod's IP.
    #[wire(pb = 2)]
    pub host: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
