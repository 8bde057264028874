//! Objects whose kind is known only at run time: [`AnyObject`] of the model.

pub use orlop_model::{AnyObject, downcast};
