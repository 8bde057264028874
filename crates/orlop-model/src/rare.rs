//! [`Rare`], a struct that is mostly empty.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::message::{Field, Message, Slot, Union, View};
use crate::protobuf::{Decoder, Outcome};
use crate::{Extra, FieldType, Schema};

/// A struct that is empty in most objects: one pointer, and no allocation until a field of it is set. Used like the
/// struct itself.
///
/// ```
/// use orlop_model::core::v1::{ContainerState, ContainerStatus};
///
/// let mut status = ContainerStatus::default();
/// assert!(status.last_state.terminated.is_none());
/// status.last_state.running = Some(Box::default());
/// assert_ne!(status.last_state, ContainerState::default().into());
/// ```
#[derive(Clone)]
pub struct Rare<T>(Option<Box<T>>);

/// A struct whose default is a constant.
pub trait Constant: Default + 'static {
    /// The default.
    const DEFAULT: &'static Self;
}

impl<T: Constant> Rare<T> {
    /// The struct itself.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0.map_or_else(T::default, |inner| *inner)
    }
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Constant> Deref for Rare<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::DEFAULT)
    }
}

impl<T: Constant> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: Constant + PartialEq> From<T> for Rare<T> {
    fn from(inner: T) -> Self {
        Self((inner != *T::DEFAULT).then(|| Box::new(inner)))
    }
}

impl<T: Constant + PartialEq> PartialEq for Rare<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Constant + fmt::Debug> fmt::Debug for Rare<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

/// Fields that are only looked at leave an empty one empty.
impl<T: Message + Constant> Message for Rare<T> {
    const SCHEMA: &'static Schema = T::SCHEMA;
    fn field(&self, index: usize) -> View<'_> {
        (**self).field(index)
    }
    fn field_mut(&mut self, index: usize) -> Slot<'_> {
        (**self).field_mut(index)
    }
    fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome {
        Message::read(&mut **self, tag, decoder)
    }
    fn unknown(&self) -> Option<&Extra> {
        (**self).unknown()
    }
    fn unknown_mut(&mut self) -> Option<&mut Extra> {
        (**self).unknown_mut()
    }
    fn union(&self) -> Option<&dyn Union> {
        (**self).union()
    }
    fn union_mut(&mut self) -> Option<&mut dyn Union> {
        (**self).union_mut()
    }
}

impl<T: Message + Constant> Field for Rare<T> {
    const TYPE: FieldType = FieldType::Message(|| T::SCHEMA);
    fn as_view(&self) -> View<'_> {
        View::Message(self)
    }
    fn as_slot(&mut self) -> Slot<'_> {
        Slot::Message(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::core::v1::{ContainerState, ContainerStatus};
    use crate::json;

    #[test]
    fn an_empty_struct_is_not_allocated() {
        let text = br#"{"name":"","lastState":{},"ready":false,"restartCount":0,"image":"","imageID":""}"#;
        let status: ContainerStatus = json::from_slice(text).unwrap();
        assert!(status.last_state.0.is_none());
        let text = br#"{"lastState":{"waiting":{"reason":"R"},"new":1}}"#;
        let status: ContainerStatus = json::from_slice(text).unwrap();
        assert_eq!(status.last_state.waiting.as_ref().unwrap().reason, "R");
        let text = String::from_utf8(json::to_vec(&status)).unwrap();
        assert!(text.contains(r#""lastState":{"waiting":{"reason":"R"},"new":1}"#), "{text}");
    }

    #[test]
    fn emptiness_is_by_value() {
        let mut status = ContainerStatus::default();
        status.last_state.running = None;
        assert!(status.last_state.0.is_some());
        assert_eq!(status, ContainerStatus::default());
        assert_eq!(status.last_state.into_inner(), ContainerState::default());
    }
}
