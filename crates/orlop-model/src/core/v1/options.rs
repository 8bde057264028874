//! Options of requests.

use crate::{Extra, List, Message, Str, Time};

/// Query parameters of a proxy request to a node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct NodeProxyOptions {
    /// URL path on the node, handed on to its kubelet.
    #[wire(pb = 1)]
    pub path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query options of the `attach` subresource, which connects to the running main process of a container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct PodAttachOptions {
    /// Forwards the client's input to the container; default `false`.
    #[wire(pb = 1)]
    pub stdin: bool,
    /// Sends the container's standard output to the client; documented default `true`.
    #[wire(pb = 2)]
    pub stdout: bool,
    /// Sends the container's standard error to the client; documented default `true`, without effect together
    /// with `tty`.
    #[wire(pb = 3)]
    pub stderr: bool,
    /// Treats the streams as a terminal, which merges output and error; default `false`.
    #[wire(pb = 4)]
    pub tty: bool,
    /// Container to attach to; may be left out when the Pod has only one.
    #[wire(pb = 5)]
    pub container: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query options of the `exec` subresource, which runs a command inside a running container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct PodExecOptions {
    /// Forwards the client's input to the command; default `false`.
    #[wire(pb = 1)]
    pub stdin: bool,
    /// Sends the command's standard output to the client.
    #[wire(pb = 2)]
    pub stdout: bool,
    /// Sends the command's standard error to the client; without effect together with `tty`.
    #[wire(pb = 3)]
    pub stderr: bool,
    /// Allocates a terminal for the command; default `false`.
    #[wire(pb = 4)]
    pub tty: bool,
    /// Container to run the command in; may be left out when the Pod has only one.
    #[wire(pb = 5)]
    pub container: Str,
    /// Program and arguments, executed directly without a shell; at least one element.
    #[wire(pb = 6, required, needless)]
    pub command: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query options of the `log` subresource, which reads the output of a container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct PodLogOptions {
    /// Container whose log is read; may be left out when the Pod has only one.
    #[wire(pb = 1)]
    pub container: Str,
    /// Keeps the connection open and streams new output as it is written; default `false`.
    #[wire(pb = 2)]
    pub follow: bool,
    /// Reads the log of the container instance before the last restart; default `false`.
    #[wire(pb = 3)]
    pub previous: bool,
    /// Shows only output of the last so many seconds, at least 1; not together with `sinceTime`.
    #[wire(pb = 4)]
    pub since_seconds: Option<i64>,
    /// Shows only output from this RFC 3339 moment on; not together with `sinceSeconds`.
    #[wire(pb = 5)]
    pub since_time: Option<Time>,
    /// Puts an RFC 3339 time before every line; default `false`.
    #[wire(pb = 6)]
    pub timestamps: bool,
    /// Number of lines from the end to show first; unset shows all, and it needs `stream` to be `All`.
    #[wire(pb = 7)]
    pub tail_lines: Option<i64>,
    /// Number of bytes after which the server stops, perhaps in mid-line; at least 1, unset means no limit.
    #[wire(pb = 8)]
    pub limit_bytes: Option<i64>,
    /// Lets the API server skip verifying the kubelet's serving certificate, so the log could be forged;
    /// default `false`.
    #[wire(name = "insecureSkipTLSVerifyBackend", pb = 9)]
    pub insecure_skip_tls_verify_backend: bool,
    /// Which output to return: `All` (default, both interleaved), `Stdout` or `Stderr`.
    #[wire(pb = 10)]
    pub stream: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query options of the `portforward` subresource, which tunnels TCP connections into a Pod.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct PodPortForwardOptions {
    /// Ports of the Pod to forward, 1 to 65535; needed over WebSocket, over SPDY they come per stream.
    #[wire(pb = 1)]
    pub ports: List<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query options of a Pod's `proxy` subresource, which relays HTTP requests through the API server.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct PodProxyOptions {
    /// URL path to which the request is sent in the Pod.
    #[wire(pb = 1)]
    pub path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Parts of the SELinux label given to a container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SELinuxOptions {
    /// SELinux user part of the label, e.g. `system_u`.
    #[wire(pb = 1)]
    pub user: Str,
    /// SELinux role part of the label, e.g. `system_r`.
    #[wire(pb = 2)]
    pub role: Str,
    /// SELinux type part of the label, e.g. `container_t`.
    #[wire(pb = 3)]
    pub type_: Str,
    /// SELinux level with its categories, e.g. `s0:c123,c456`.
    #[wire(pb = 4)]
    pub level: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query options of a Service's `proxy` subresource, which relays HTTP requests through the API server.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct ServiceProxyOptions {
    /// URL path, with query and fragment if any, requested from the Service.
    #[wire(pb = 1)]
    pub path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Security settings that exist only for Windows containers.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct WindowsSecurityContextOptions {
    /// Name of the `GMSACredentialSpec` object, whose content the GMSA webhook puts into
    /// `gmsaCredentialSpec`.
    #[wire(pb = 1)]
    pub gmsa_credential_spec_name: Option<Str>,
    /// Credential spec, as JSON text, of the group managed service account; normally filled in by the GMSA
    /// webhook.
    #[wire(pb = 2)]
    pub gmsa_credential_spec: Option<Str>,
    /// Windows user that runs the main process; default is the image's user.
    #[wire(pb = 3)]
    pub run_as_user_name: Option<Str>,
    /// Runs as a HostProcess container on the node; must agree across the Pod and needs `hostNetwork: true`.
    #[wire(pb = 4)]
    pub host_process: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
