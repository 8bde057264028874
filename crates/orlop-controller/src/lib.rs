//! orlop-controller
