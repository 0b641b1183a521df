//! The SDKs' words as the topology's. Both name things as AWS' API does, so a conversion is a list of names.

use std::collections::{BTreeMap, HashMap};

/// What an SDK told, in the words of `muster-network`. What AWS left out is left out.
pub(super) trait Told<T> {
    fn told(self) -> T;
}

/// Conversions of structs, field by field: `their::Type => Ours { field, ours = theirs }`.
macro_rules! told {
    ($($theirs:ty => $ours:ident { $($field:ident $(= $source:ident)?),* $(,)? })*) => { $(
        impl crate::topology::told::Told<$ours> for $theirs {
            fn told(self) -> $ours {
                $ours { $($field: crate::topology::told::Told::told(told!(@ self $field $($source)?))),* }
            }
        }
        impl crate::topology::told::Told<$ours> for Option<$theirs> {
            fn told(self) -> $ours {
                self.map(crate::topology::told::Told::told).unwrap_or_default()
            }
        }
    )* };
    (@ $self:ident $field:ident) => { $self.$field };
    (@ $self:ident $field:ident $source:ident) => { $self.$source };
}

/// Enumerations of an SDK, which are texts to us.
macro_rules! words {
    ($($theirs:ty)*) => { $(
        impl crate::topology::told::Told<String> for $theirs {
            fn told(self) -> String {
                self.as_str().to_owned()
            }
        }
        impl crate::topology::told::Told<String> for Option<$theirs> {
            fn told(self) -> String {
                self.map(crate::topology::told::Told::told).unwrap_or_default()
            }
        }
        impl crate::topology::told::Told<Option<String>> for $theirs {
            fn told(self) -> Option<String> {
                Some(self.as_str().to_owned())
            }
        }
    )* };
}

/// Values that are the same on both sides.
macro_rules! same {
    ($($value:ty)*) => { $(
        impl Told<$value> for $value {
            fn told(self) -> $value {
                self
            }
        }
        impl Told<$value> for Option<$value> {
            fn told(self) -> $value {
                self.unwrap_or_default()
            }
        }
    )* };
}
same!(String bool i32);

/// The SDK fills in an empty text where a required field is absent.
impl Told<Option<String>> for String {
    fn told(self) -> Option<String> {
        Some(self).filter(|text| !text.is_empty())
    }
}

impl<T: Told<U>, U> Told<Option<U>> for Option<T> {
    fn told(self) -> Option<U> {
        self.map(Told::told)
    }
}

impl<T: Told<U>, U> Told<Vec<U>> for Vec<T> {
    fn told(self) -> Vec<U> {
        self.into_iter().map(Told::told).collect()
    }
}

impl<T: Told<U>, U> Told<Vec<U>> for Option<Vec<T>> {
    fn told(self) -> Vec<U> {
        self.unwrap_or_default().told()
    }
}

impl<T: Told<U>, U> Told<BTreeMap<String, U>> for Option<HashMap<String, T>> {
    fn told(self) -> BTreeMap<String, U> {
        self.into_iter().flatten().map(|(name, value)| (name, value.told())).collect()
    }
}
