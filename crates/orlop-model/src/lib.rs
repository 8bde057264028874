//! orlop-model
