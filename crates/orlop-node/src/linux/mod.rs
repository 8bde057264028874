//! Pods as real processes, on Linux.

mod atomic;
mod connect;
mod grpc;
mod http;
mod log;
mod log_read;
mod ownership;
#[cfg(test)]
mod scratch;

pub use log::LogLimits;
