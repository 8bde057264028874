//! orlop-node
