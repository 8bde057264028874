//! The queue against a specification model, its waiting side (nothing lost, nobody asleep while there is work), and
//! what others got wrong.

mod model;
mod peers;
mod promises;
mod waiting;

pub(crate) use model::{ms, paused};
