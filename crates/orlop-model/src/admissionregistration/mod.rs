//! API group `admissionregistration`.

pub mod v1;
