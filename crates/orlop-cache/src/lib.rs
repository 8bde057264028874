//! orlop-cache
