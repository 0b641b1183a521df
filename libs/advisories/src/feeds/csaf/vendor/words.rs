//! What threats, scores and remediations say of products.

use super::super::document::{Score, Text, Vulnerability};
use super::super::products::Products;
use super::super::streams::Vendor;
use crate::feed::{WORD_BYTES_MAX, cut};
use muster_domain::{VectorString, VendorState};
use std::collections::HashMap;

/// What threats, scores and remediations say, of all products and of single ones where they differ.
pub(super) struct Words<'d, 'a> {
    pub impact: Option<&'d str>,
    pub impacts: HashMap<&'d str, &'d str>,
    pub score: Option<&'d Score<'a>>,
    pub scores: HashMap<&'d str, &'d Score<'a>>,
    /// The advisory that fixes a product.
    pub fixes: HashMap<&'d str, &'d str>,
    /// Why a product has no fix.
    pub unfixed: HashMap<&'d str, (VendorState, &'d str)>,
}

impl<'d, 'a> Words<'d, 'a> {
    pub(super) fn of(vendor: Vendor, vulnerability: &'d Vulnerability<'a>, products: &'d Products<'d, 'a>) -> Self {
        let mut words = Words {
            impact: None,
            impacts: HashMap::new(),
            score: None,
            scores: HashMap::new(),
            fixes: HashMap::new(),
            unfixed: HashMap::new(),
        };
        words.rate(vendor, vulnerability, products);
        for remediation in &vulnerability.remediations {
            let named = || products.named(&remediation.product_ids, &remediation.group_ids).into_iter().flatten();
            match &*remediation.category {
                "vendor_fix" => {
                    let advisory = remediation.url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                    if advisory.contains('-') && advisory.len() <= WORD_BYTES_MAX {
                        named().for_each(|product| _ = words.fixes.entry(product).or_insert(advisory));
                    }
                }
                "none_available" | "no_fix_planned" => {
                    let state = decision(&remediation.category, &remediation.details);
                    let said = cut(&remediation.details, WORD_BYTES_MAX);
                    named().for_each(|product| _ = words.unfixed.entry(product).or_insert((state, said)));
                }
                _ => {}
            }
        }
        words
    }

    /// The word and the score of the most products are the record's; the others are kept for theirs alone.
    fn rate(&mut self, vendor: Vendor, vulnerability: &'d Vulnerability<'a>, products: &'d Products<'d, 'a>) {
        let impacts = vulnerability.threats.iter().filter(|threat| &*threat.category == "impact");
        let mut impacts: Vec<_> = impacts.filter(|threat| !threat.details.is_empty()).collect();
        let is_about_all = |ids: &[Text<'_>], groups: &[Text<'_>]| ids.is_empty() && groups.is_empty();
        impacts.sort_by_key(|threat| {
            let is_about_all = is_about_all(&threat.product_ids, &threat.group_ids);
            std::cmp::Reverse(if is_about_all { usize::MAX } else { threat.product_ids.len() })
        });
        self.impact = impacts.first().map(|threat| cut(&threat.details, WORD_BYTES_MAX));
        for threat in impacts.iter().skip(1).filter(|threat| Some(&*threat.details) != self.impact) {
            let named = products.named(&threat.product_ids, &threat.group_ids).into_iter().flatten();
            named.for_each(|product| _ = self.impacts.insert(product, cut(&threat.details, WORD_BYTES_MAX)));
        }
        let mut scores: Vec<_> = vulnerability.scores.iter().collect();
        scores.sort_by_key(|score| std::cmp::Reverse(score.products.len()));
        self.score = scores.first().copied();
        for score in scores
            .into_iter()
            .skip(1)
            .filter(|score| self.score.is_none_or(|of_most| vectors(of_most, vendor) != vectors(score, vendor)))
        {
            score.products.iter().for_each(|product| _ = self.scores.insert(product, score));
        }
    }
}

/// The vendor's decision on an affected product: Red Hat's words (access.redhat.com/articles/red_hat_vulnerability_tutorial,
/// "Fix state") where they are said, else the category.
fn decision(category: &str, details: &str) -> VendorState {
    let said = details.trim().to_ascii_lowercase();
    match said.as_str() {
        "will not fix" => VendorState::WillNotFix,
        "out of support scope" | "end of life" => VendorState::EndOfLife,
        "fix deferred" => VendorState::Deferred,
        "affected" => VendorState::Affected,
        _ if category == "no_fix_planned" => VendorState::WillNotFix,
        _ => VendorState::Affected,
    }
}

/// The vectors of a score, as given by the vendor.
pub(super) fn vectors(score: &Score<'_>, vendor: Vendor) -> Vec<VectorString> {
    let all = [("CVSS_V2", &score.cvss_v2), ("CVSS_V3", &score.cvss_v3), ("CVSS_V4", &score.cvss_v4)];
    let given = all.into_iter().filter_map(|(kind, vector)| Some((kind, &vector.as_ref()?.vector)));
    given
        .filter(|(_, vector)| (1..=WORD_BYTES_MAX).contains(&vector.len()))
        .map(|(kind, vector)| VectorString {
            kind: kind.to_owned(),
            vector: vector.to_string(),
            source: vendor.source().to_owned(),
        })
        .collect()
}
