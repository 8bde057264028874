//! orlop-cluster
