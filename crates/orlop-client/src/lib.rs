//! orlop-client
