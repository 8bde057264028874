//! Caches on sources that do everything a source can do wrong, and their promises to readers and subscribers.

mod common;
mod defects;
mod histories;
mod informer;
mod store;
mod subscriptions;
