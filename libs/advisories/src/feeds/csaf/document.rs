//! What of a CSAF document is read (CSAF 2.0, OASIS Standard, sections 3.2.1 to 3.2.3). Texts are borrowed from the document,
//! and the product tree is flattened while it is read, so that memory stays near the document's own size.

use crate::feed::bounded;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Most products of one tree; Red Hat's largest documents (kernel, HTTP/2) have about 100,000.
const PRODUCTS_MAX: usize = 1_000_000;

/// A text of the document.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;
        impl<'de> Visitor<'de> for AnyText {
            type Value = Text<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed("")))
            }
        }
        deserializer.deserialize_any(AnyText)
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
pub(super) struct Csaf<'a> {
    #[serde(borrow)]
    pub document: Metadata<'a>,
    #[serde(borrow, default)]
    pub product_tree: ProductTree<'a>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub vulnerabilities: Vec<Vulnerability<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Metadata<'a> {
    #[serde(borrow, default)]
    pub title: Text<'a>,
    #[serde(borrow)]
    pub publisher: Publisher<'a>,
    #[serde(borrow)]
    pub tracking: Tracking<'a>,
}

#[derive(Deserialize)]
pub(super) struct Publisher<'a> {
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// A URL that the publisher owns.
    #[serde(borrow, default)]
    pub namespace: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Tracking<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub initial_release_date: Text<'a>,
    #[serde(borrow, default)]
    pub current_release_date: Text<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct ProductTree<'a> {
    /// The products at the ends of all branches.
    #[serde(borrow, default)]
    branches: Branches<'a>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    full_product_names: Vec<Product<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub product_groups: Vec<ProductGroup<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub relationships: Vec<Relationship<'a>>,
}

impl<'a> ProductTree<'a> {
    /// Every product that is no relationship.
    pub(super) fn products(&self) -> impl Iterator<Item = &Product<'a>> {
        self.branches.0.iter().chain(&self.full_product_names)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Product<'a> {
    #[serde(borrow)]
    pub product_id: Text<'a>,
    #[serde(borrow, default)]
    pub product_identification_helper: Option<Helper<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Helper<'a> {
    #[serde(borrow, default)]
    pub purl: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub cpe: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ProductGroup<'a> {
    #[serde(borrow)]
    pub group_id: Text<'a>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub product_ids: Vec<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Relationship<'a> {
    #[serde(borrow)]
    pub full_product_name: Product<'a>,
    #[serde(borrow)]
    pub product_reference: Text<'a>,
    #[serde(borrow)]
    pub relates_to_product_reference: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Vulnerability<'a> {
    #[serde(borrow, default)]
    pub cve: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub title: Text<'a>,
    #[serde(borrow, default)]
    pub release_date: Text<'a>,
    #[serde(borrow, default)]
    pub cwe: Option<Cwe<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000>")]
    pub notes: Vec<Note<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub references: Vec<Link<'a>>,
    #[serde(borrow, default)]
    pub product_status: ProductStatus<'a>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 100_000>")]
    pub remediations: Vec<Remediation<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub scores: Vec<Score<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub threats: Vec<Threat<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub flags: Vec<Flag<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Cwe<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Note<'a> {
    #[serde(borrow)]
    pub category: Text<'a>,
    #[serde(borrow, default)]
    pub text: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Link<'a> {
    #[serde(borrow)]
    pub url: Text<'a>,
    #[serde(borrow, default)]
    pub category: Text<'a>,
}

/// Product ids by what is said of them. `recommended` is not a status by the specification, but the one under which SUSE
/// lists its fixed packages.
#[derive(Default, Deserialize)]
pub(super) struct ProductStatus<'a> {
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub fixed: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub first_fixed: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub recommended: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub known_affected: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub first_affected: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub last_affected: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub known_not_affected: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub under_investigation: Vec<Text<'a>>,
}

impl ProductStatus<'_> {
    /// Whether it says nothing of any product.
    pub(super) fn is_empty(&self) -> bool {
        let all = [
            &self.fixed,
            &self.first_fixed,
            &self.recommended,
            &self.known_affected,
            &self.first_affected,
            &self.last_affected,
            &self.known_not_affected,
            &self.under_investigation,
        ];
        all.into_iter().all(Vec::is_empty)
    }
}

#[derive(Deserialize)]
pub(super) struct Remediation<'a> {
    #[serde(borrow)]
    pub category: Text<'a>,
    #[serde(borrow, default)]
    pub details: Text<'a>,
    #[serde(borrow, default)]
    pub url: Text<'a>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub product_ids: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub group_ids: Vec<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Score<'a> {
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub products: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub cvss_v2: Option<Vector<'a>>,
    #[serde(borrow, default)]
    pub cvss_v3: Option<Vector<'a>>,
    /// Not of CSAF 2.0, but SUSE writes it.
    #[serde(borrow, default)]
    pub cvss_v4: Option<Vector<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Vector<'a> {
    #[serde(borrow, rename = "vectorString", default)]
    pub vector: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Threat<'a> {
    #[serde(borrow)]
    pub category: Text<'a>,
    #[serde(borrow, default)]
    pub details: Text<'a>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub product_ids: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub group_ids: Vec<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Flag<'a> {
    #[serde(borrow)]
    pub label: Text<'a>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub product_ids: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub group_ids: Vec<Text<'a>>,
}

/// The products of a tree of branches. The JSON reader itself refuses more than 128 levels.
#[derive(Default)]
struct Branches<'a>(Vec<Product<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Branches<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut products = Vec::new();
        BranchList(&mut products).deserialize(deserializer)?;
        Ok(Self(products))
    }
}

struct BranchList<'p, 'a>(&'p mut Vec<Product<'a>>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for BranchList<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for BranchList<'_, 'a> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of branches")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Branch(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct Branch<'p, 'a>(&'p mut Vec<Product<'a>>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Branch<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Branch<'_, 'a> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a branch")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(key) = fields.next_key::<Text<'de>>()? {
            match &*key {
                "branches" => fields.next_value_seed(BranchList(&mut *self.0))?,
                "product" => self.0.extend(fields.next_value::<Option<Product<'a>>>()?),
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
            if self.0.len() > PRODUCTS_MAX {
                return Err(A::Error::custom(format_args!("tree has more than {PRODUCTS_MAX} products")));
            }
        }
        Ok(())
    }
}
