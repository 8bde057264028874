//! [`List`], the list of every repeated field.

/// A list: one pointer in the struct that holds it, no allocation while empty; used like a `Vec`.
pub type List<T> = thin_vec::ThinVec<T>;

/// Makes a [`List`] of its arguments, as `vec!` does.
///
/// ```
/// let ports: orlop_model::List<i32> = orlop_model::list![80, 443];
/// assert_eq!(ports.len(), 2);
/// ```
#[macro_export]
macro_rules! list {
    () => { $crate::List::new() };
    ($($item:expr),+ $(,)?) => { $crate::List::from_iter([$($item),+]) };
}
