//! orlop-store
