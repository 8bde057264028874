//! orlop-planners
