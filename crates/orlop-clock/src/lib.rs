//! orlop-clock
