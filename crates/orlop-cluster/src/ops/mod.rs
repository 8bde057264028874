//! What people do with a cluster, against any [`Client`](orlop_client::Client): apply, wait, roll out and back, scale,
//! drain, delete, look.

pub mod apply;
pub mod delete;
pub mod drain;
pub mod get;
pub mod rollout;
pub mod wait;
