//! [`open_enum!`](crate::open_enum), enumerations that keep what they do not know.

use std::fmt;
use std::ops::Deref;

use crate::Str;

/// The text of an enumeration that this version does not know; one pointer, since it is rare.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherText(Option<Box<Str>>);

impl Deref for OtherText {
    type Target = str;
    fn deref(&self) -> &str {
        self.0.as_deref().map_or("", Str::as_str)
    }
}

impl From<&str> for OtherText {
    fn from(text: &str) -> Self {
        Self((!text.is_empty()).then(|| Box::new(text.into())))
    }
}

impl fmt::Display for OtherText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, formatter)
    }
}

impl fmt::Debug for OtherText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

/// Declares enumerations of named texts that keep a text they do not know in `Other`. The default
/// is the empty text, which stands for an absent field. Those marked `closed` are documented by their values
/// ([`EnumType::closed`](crate::EnumType::closed)).
///
/// ```
/// orlop_model::open_enum! {
///     /// How fast.
///     pub enum Speed { Slow = "Slow", Fast = "Fast" }
/// }
/// assert_eq!(Speed::from("Fast"), Speed::Fast);
/// assert_eq!(Speed::from("Faster").as_str(), "Faster");
/// assert!(Speed::default().is_empty());
/// ```
#[macro_export]
macro_rules! open_enum {
    (@closed) => { false };
    (@closed closed) => { true };
    ($($(#[$meta:meta])* pub enum $name:ident $(: $closed:ident)? { $($variant:ident = $text:literal),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`.")] $variant,)*
            /// A text that this version does not know; empty: absent.
            Other($crate::OtherText),
        }

        impl $name {
            /// The text of the wire format.
            #[must_use]
            #[inline]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }

            /// Whether it is absent.
            #[must_use]
            #[inline]
            pub fn is_empty(&self) -> bool {
                self.as_str().is_empty()
            }
        }

        impl ::std::default::Default for $name {
            #[inline]
            fn default() -> Self {
                Self::Other($crate::OtherText::default())
            }
        }

        impl ::std::convert::From<&str> for $name {
            #[inline]
            fn from(text: &str) -> Self {
                let mut value = Self::Other($crate::OtherText::default());
                if !$crate::message::Text::set_known(&mut value, text.as_bytes()) {
                    value = Self::Other($crate::OtherText::from(text));
                }
                value
            }
        }

        impl ::std::convert::AsRef<str> for $name {
            #[inline]
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::cmp::PartialEq<str> for $name {
            #[inline]
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl ::std::cmp::PartialEq<&str> for $name {
            #[inline]
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl ::std::fmt::Display for $name {
            #[inline]
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl ::std::fmt::Debug for $name {
            #[inline]
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(self.as_str(), formatter)
            }
        }

        impl $crate::Serialize for $name {
            fn serialize<S: $crate::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::Deserialize<'de> for $name {
            fn deserialize<D: $crate::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                <$crate::Str as $crate::Deserialize>::deserialize(deserializer).map(|text| Self::from(&*text))
            }
        }

        impl $crate::Field for $name {
            const TYPE: $crate::FieldType = $crate::FieldType::Enum($crate::EnumType {
                values: &[$($text),*],
                closed: $crate::open_enum!(@closed $($closed)?),
            });
            #[inline]
            fn as_view(&self) -> $crate::message::View<'_> {
                $crate::message::View::Text(self.as_str())
            }
            #[inline]
            fn as_slot(&mut self) -> $crate::message::Slot<'_> {
                $crate::message::Slot::Text(self)
            }
        }

        impl $crate::message::Text for $name {
            #[inline]
            fn set_known(&mut self, text: &[u8]) -> bool {
                *self = match text {
                    [] => Self::Other($crate::OtherText::default()),
                    $(text if *text == *$text.as_bytes() => Self::$variant,)*
                    _ => return false,
                };
                true
            }
            #[inline]
            fn set(&mut self, text: &str) {
                *self = Self::from(text);
            }
        }
    )*};
}
