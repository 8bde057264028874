//! Orlop under one roof: every crate behind the feature of its name, as a module of its name.
//!
//! | feature and module | what lives there |
//! | --- | --- |
//! | `apiserver` | API semantics over a store, as a client without a socket |
//! | `cache` | informers: caches that are up to date within moments |
//! | `client` | the object-safe client and its typed handle |
//! | `clock` | time and randomness as arguments |
//! | `cluster` | a whole control plane in one process |
//! | `cni` | container networks: runtime and plugins |
//! | `container` | one isolated process with its limits |
//! | `controller` | control loops |
//! | `fs` | files inside a root, and mounts |
//! | `image` | OCI images: pull, verify, unpack |
//! | `model` | kinds, quantities, selectors, both wire formats |
//! | `netlink` | links, addresses, routes and nftables |
//! | `node` | the node agent |
//! | `planners` | what the controllers of Kubernetes would do next, as pure functions |
//! | `scheduler` | which node a pod goes to, and why |
//! | `store` | a revisioned key-value store |
//! | `workqueue` | keys at most once, delays, priorities, draining |
//!
//! `all` is all of them; `all-kinds` every kind of Kubernetes with its rules; `linux` pods as processes of this machine;
//! `scheduler-driver` a scheduler that runs against a client. Only `model` is on by default. Programs that need little
//! should depend on the crates themselves, which cost nothing else.
//!
//! Kinds of your own are derived through it too:
//!
//! ```
//! use orlop::prelude::*;
//!
//! #[derive(Clone, Debug, Default, PartialEq, Object)]
//! #[object(group = "example.dev", version = "v1", crate = orlop::model)]
//! struct Website {
//!     metadata: ObjectMeta,
//!     spec: WebsiteSpec,
//! }
//!
//! #[derive(Clone, Debug, Default, PartialEq, Message)]
//! #[wire(crate = orlop::model)]
//! struct WebsiteSpec {
//!     host: Str,
//! }
//!
//! let site: Website = orlop::model::json::from_slice(br#"{"metadata": {"name": "home"}, "spec": {"host": "h"}}"#)?;
//! assert_eq!(site.kind().to_string(), "example.dev/v1, Kind=Website");
//! assert_eq!(site.spec.host, "h");
//! # Ok::<(), orlop::model::json::Error>(())
//! ```

#[cfg(feature = "apiserver")]
#[doc(inline)]
pub use orlop_apiserver as apiserver;
#[cfg(feature = "cache")]
#[doc(inline)]
pub use orlop_cache as cache;
#[cfg(feature = "client")]
#[doc(inline)]
pub use orlop_client as client;
#[cfg(feature = "clock")]
#[doc(inline)]
pub use orlop_clock as clock;
#[cfg(feature = "cluster")]
#[doc(inline)]
pub use orlop_cluster as cluster;
#[cfg(feature = "cni")]
#[doc(inline)]
pub use orlop_cni as cni;
#[cfg(feature = "container")]
#[doc(inline)]
pub use orlop_container as container;
#[cfg(feature = "controller")]
#[doc(inline)]
pub use orlop_controller as controller;
#[cfg(feature = "fs")]
#[doc(inline)]
pub use orlop_fs as fs;
#[cfg(feature = "image")]
#[doc(inline)]
pub use orlop_image as image;
#[cfg(feature = "model")]
#[doc(inline)]
pub use orlop_model as model;
#[cfg(feature = "netlink")]
#[doc(inline)]
pub use orlop_netlink as netlink;
#[cfg(feature = "node")]
#[doc(inline)]
pub use orlop_node as node;
#[cfg(feature = "planners")]
#[doc(inline)]
pub use orlop_planners as planners;
#[cfg(feature = "scheduler")]
#[doc(inline)]
pub use orlop_scheduler as scheduler;
#[cfg(feature = "store")]
#[doc(inline)]
pub use orlop_store as store;
#[cfg(feature = "workqueue")]
#[doc(inline)]
pub use orlop_workqueue as workqueue;

/// What nearly every program needs.
pub mod prelude {
    #[cfg(feature = "cache")]
    pub use orlop_cache::Informer;
    #[cfg(feature = "client")]
    pub use orlop_client::{Api, Client};
    #[cfg(feature = "clock")]
    pub use orlop_clock::{Clock, Random, SystemClock};
    #[cfg(feature = "controller")]
    pub use orlop_controller::{Action, Context, Controller};
    #[cfg(feature = "model")]
    pub use orlop_model::{
        DynamicObject, IntOrString, LabelSelector, List, Map, Message, Object, ObjectKey, ObjectMeta,
        OwnerReference, Quantity, StaticKind, Str, Time,
    };
}
