//! orlop-derive
