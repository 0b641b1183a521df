//! What every described type has in common: AWS' names, defaults that are not written, lists in a fixed order.

use std::collections::BTreeMap;

/// Structs in the shape of an AWS answer: `aws! { "PascalCase"; pub struct …}`. Absent fields read as their default,
/// and defaults are not written, as the AWS command line does.
macro_rules! aws {
    ($casing:literal; $(
        $(#[$about:meta])*
        pub struct $name:ident { $( $(#[$field_about:meta])* pub $field:ident: $type:ty ),* $(,)? }
    )*) => { $(
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = $casing, default)]
        pub struct $name {
            $( $(#[$field_about])* #[serde(skip_serializing_if = "crate::topology::shape::is_default")] pub $field: $type, )*
        }

        impl crate::topology::shape::SortLists for $name {
            fn sort_lists(&mut self) {
                $( crate::topology::shape::SortLists::sort_lists(&mut self.$field); )*
            }
        }
    )* };
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Brings the lists in a value into a fixed order, the innermost first.
pub(crate) trait SortLists {
    fn sort_lists(&mut self);
}

impl<T: SortLists + Ord> SortLists for Vec<T> {
    fn sort_lists(&mut self) {
        self.iter_mut().for_each(SortLists::sort_lists);
        self.sort_unstable();
    }
}

impl<T: SortLists> SortLists for Option<T> {
    fn sort_lists(&mut self) {
        self.iter_mut().for_each(SortLists::sort_lists);
    }
}

impl<T: SortLists> SortLists for BTreeMap<String, T> {
    fn sort_lists(&mut self) {
        self.values_mut().for_each(SortLists::sort_lists);
    }
}

macro_rules! plain {
    ($($type:ty)*) => { $( impl SortLists for $type { fn sort_lists(&mut self) {} } )* };
}
plain!(String bool i32 i64);
