//! Probes and hooks.

use super::rules::Rules;
use crate::core::v1::{
    ExecAction, HTTPGetAction, Lifecycle, LifecycleHandler, OSName, PodOS, Probe, SleepAction,
    TCPSocketAction,
};
use crate::{IntOrString, names};

/// Signals of Linux by which a container can be asked to stop, in the order of their names.
const SIGNALS: &[&str] = &[
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGIOT",
    "SIGKILL",
    "SIGPIPE",
    "SIGPOLL",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGRTMAX",
    "SIGRTMAX-1",
    "SIGRTMAX-10",
    "SIGRTMAX-11",
    "SIGRTMAX-12",
    "SIGRTMAX-13",
    "SIGRTMAX-14",
    "SIGRTMAX-2",
    "SIGRTMAX-3",
    "SIGRTMAX-4",
    "SIGRTMAX-5",
    "SIGRTMAX-6",
    "SIGRTMAX-7",
    "SIGRTMAX-8",
    "SIGRTMAX-9",
    "SIGRTMIN",
    "SIGRTMIN+1",
    "SIGRTMIN+10",
    "SIGRTMIN+11",
    "SIGRTMIN+12",
    "SIGRTMIN+13",
    "SIGRTMIN+14",
    "SIGRTMIN+15",
    "SIGRTMIN+2",
    "SIGRTMIN+3",
    "SIGRTMIN+4",
    "SIGRTMIN+5",
    "SIGRTMIN+6",
    "SIGRTMIN+7",
    "SIGRTMIN+8",
    "SIGRTMIN+9",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];

/// What is done: by a probe or a hook.
#[derive(Default)]
struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http: Option<&'a HTTPGetAction>,
    tcp: Option<&'a TCPSocketAction>,
    grpc_port: Option<i32>,
    sleep: Option<&'a SleepAction>,
}

/// What all probes have in common.
pub(super) fn probe(rules: &mut Rules, probe: &Probe, grace: Option<i64>) {
    let parts = &probe.handler;
    let what = Handler {
        exec: parts.exec.as_deref(),
        http: parts.http_get.as_deref(),
        tcp: parts.tcp_socket.as_deref(),
        grpc_port: parts.grpc.as_deref().map(|grpc| grpc.port),
        sleep: None,
    };
    handler(rules, &what, grace);
    for (field, number) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        rules.not_negative(field, number);
    }
    if let Some(seconds) = probe.termination_grace_period_seconds
        && seconds <= 0
    {
        rules.invalid("terminationGracePeriodSeconds", seconds, "must be greater than 0");
    }
}

pub(super) fn lifecycle(rules: &mut Rules, lifecycle: &Lifecycle, grace: Option<i64>, os: Option<&PodOS>) {
    let hook = |rules: &mut Rules, hook: &LifecycleHandler| {
        let what = Handler {
            exec: hook.exec.as_deref(),
            http: hook.http_get.as_deref(),
            tcp: hook.tcp_socket.as_deref(),
            grpc_port: None,
            sleep: hook.sleep.as_deref(),
        };
        handler(rules, &what, grace);
    };
    rules.option("postStart", lifecycle.post_start.as_deref(), hook);
    rules.option("preStop", lifecycle.pre_stop.as_deref(), hook);
    if let Some(signal) = &lifecycle.stop_signal {
        match os.map(|os| &os.name) {
            None => {
                let detail = "may not be set for containers with empty `spec.os.name`";
                rules.forbidden("stopSignal", detail);
            }
            Some(OSName::Windows) => rules.one_of("stopSignal", signal.as_str(), &["SIGKILL", "SIGTERM"]),
            Some(OSName::Linux) => rules.one_of("stopSignal", signal.as_str(), SIGNALS),
            Some(_) => {}
        }
    }
}

fn handler(rules: &mut Rules, handler: &Handler<'_>, grace: Option<i64>) {
    let mut is_first = true;
    let mut one = |rules: &mut Rules, field: &'static str, check: &dyn Fn(&mut Rules)| {
        if is_first {
            is_first = false;
            rules.within(field, |rules| check(rules));
        } else {
            rules.forbidden(field, "may not specify more than 1 handler type");
        }
    };
    if let Some(exec) = handler.exec {
        one(rules, "exec", &|rules| {
            if exec.command.is_empty() {
                rules.required("command", "");
            }
        });
    }
    if let Some(http) = handler.http {
        one(rules, "httpGet", &|rules| http_get(rules, http));
    }
    if let Some(tcp) = handler.tcp {
        one(rules, "tcpSocket", &|rules| port_number_or_name(rules, "port", &tcp.port));
    }
    if let Some(port) = handler.grpc_port {
        one(rules, "grpc", &|rules| rules.port("port", port));
    }
    if let Some(sleep) = handler.sleep {
        one(rules, "sleep", &|rules| {
            if let Some(grace) = grace
                && !(0..=grace).contains(&sleep.seconds)
            {
                let detail =
                    format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                rules.invalid("", sleep.seconds, detail);
            }
        });
    }
    if is_first {
        rules.required("", "must specify a handler type");
    }
}

fn http_get(rules: &mut Rules, http: &HTTPGetAction) {
    rules.present("path", &http.path);
    port_number_or_name(rules, "port", &http.port);
    rules.one_of("scheme", http.scheme.as_str(), &["HTTP", "HTTPS"]);
    for header in &http.http_headers {
        rules.complaints("httpHeaders", &header.name, names::http_header_name(&header.name));
    }
}

/// A port by its number or name.
pub(super) fn port_number_or_name(rules: &mut Rules, field: &str, port: &IntOrString) {
    match port {
        IntOrString::Int(number) => rules.port(field, *number),
        IntOrString::String(name) => rules.complaints(field, name, names::port_name(name)),
    }
}
