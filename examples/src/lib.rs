//! Runnable programs on Orlop's crates: see the examples of this package.
