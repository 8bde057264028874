//! orlop-scheduler
