//! orlop-workqueue
