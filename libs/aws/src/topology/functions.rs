//! Lambda functions, and who may call them from outside: their URLs and resource policies.
//!
//! AWS has no call that tells this of all functions, and the calls that tell it of one share a bucket with the
//! account's own deployments. So each sweep asks for some functions only, and what it learned is kept.

use super::asked::noted;
use crate::{AwsError, RegionClient};
use aws_sdk_lambda::types as lambda;
use futures::{StreamExt, stream};
use muster_network::topology::*;
use std::{
    collections::{BTreeSet, HashMap},
    time::Instant,
};

/// Functions of one page of ListFunctions; AWS answers with no more whatever is asked.
const FUNCTIONS_PER_PAGE: i32 = 50;
/// Items of one page of ListFunctionUrlConfigs; AWS' maximum.
const URLS_PER_PAGE: i32 = 50;
/// Functions that are asked for the first time in one sweep: at our half of AWS' 15 calls a second, two minutes.
const FIRST_ASKED_MAX: usize = 500;
/// Functions that are asked for again in one sweep, those first that were asked longest ago.
const ASKED_AGAIN_MAX: usize = 100;
/// Functions that are asked for at once.
const AT_ONCE: usize = 4;

/// Who may call one function from outside, and when that was asked.
#[derive(Clone)]
pub(crate) struct FunctionAccess {
    asked: Instant,
    urls: Vec<FunctionUrl>,
    policy: Option<String>,
    missing: Vec<MissingAnswer>,
}

/// What is known of each function, by name.
pub(crate) type KnownAccess = HashMap<String, FunctionAccess>;

impl RegionClient {
    pub(super) async fn add_functions(&self, topology: &mut Topology) {
        let functions = super::asked::all("lambda:ListFunctions", |marker| {
            let request = self.inner.lambda.list_functions().max_items(FUNCTIONS_PER_PAGE).set_marker(marker);
            async move {
                let page = self.inner.caller.call("lambda:ListFunctions", request.send()).await?;
                Ok((page.functions, page.next_marker))
            }
        });
        let listed = functions.await;
        let is_known = listed.is_ok();
        topology.functions = noted(topology, "lambda:ListFunctions", listed);
        if !is_known {
            return; // what was learned of the functions still counts when they are listed again
        }
        let names: BTreeSet<String> =
            topology.functions.iter().map(|function| function.function_name.clone()).collect();
        let mut known = self.inner.function_access.lock().await;
        known.retain(|name, _| names.contains(name));
        let chosen = chosen(&names, &known);
        let mut asked = std::pin::pin!(stream::iter(chosen).map(|name| self.access_of(name)).buffered(AT_ONCE));
        while let Some((name, access)) = asked.next().await {
            known.insert(name, access);
        }
        for name in names {
            match known.get(&name) {
                Some(access) => add_access(topology, name, access),
                None => topology.missing.push(MissingAnswer {
                    call: POLICY_ACTION.to_owned(),
                    about: Some(name),
                    reason: format!("not asked yet: {FIRST_ASKED_MAX} functions are asked for in each sweep"),
                }),
            }
        }
        topology.missing = collapsed(std::mem::take(&mut topology.missing));
    }

    async fn access_of(&self, name: String) -> (String, FunctionAccess) {
        let mut missing = Vec::new();
        let mut note = |action: &str, error: AwsError| {
            missing.push(super::asked::missing(action, Some(name.clone()), &error));
        };
        let urls = self.function_urls(&name).await.unwrap_or_else(|error| {
            note(URLS_ACTION, error);
            Vec::new()
        });
        let policy = self.function_policy(&name).await.unwrap_or_else(|error| {
            note(POLICY_ACTION, error);
            None
        });
        (name, FunctionAccess { asked: Instant::now(), urls, policy, missing })
    }

    /// The URLs of a function and its aliases; a function that is gone has none.
    async fn function_urls(&self, name: &str) -> Result<Vec<FunctionUrl>, AwsError> {
        let urls = super::asked::all(URLS_ACTION, |marker| {
            let request = self.inner.lambda.list_function_url_configs().function_name(name);
            let request = request.max_items(URLS_PER_PAGE).set_marker(marker);
            async move {
                let page = self.inner.caller.call(URLS_ACTION, request.send()).await?;
                Ok((Some(page.function_url_configs), page.next_marker))
            }
        });
        match urls.await {
            Err(AwsError::NotFound { .. }) => Ok(Vec::new()),
            answer => answer,
        }
    }

    /// `None`: nobody but the account itself may call it.
    async fn function_policy(&self, name: &str) -> Result<Option<String>, AwsError> {
        let request = self.inner.lambda.get_policy().function_name(name);
        match self.inner.caller.call(POLICY_ACTION, request.send()).await {
            Ok(answer) => Ok(answer.policy),
            Err(AwsError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

const URLS_ACTION: &str = "lambda:ListFunctionUrlConfigs";
const POLICY_ACTION: &str = "lambda:GetPolicy";

/// The functions to ask for now: those never asked for, then those asked longest ago.
fn chosen(names: &BTreeSet<String>, known: &KnownAccess) -> Vec<String> {
    let first = names.iter().filter(|name| !known.contains_key(*name)).take(FIRST_ASKED_MAX).cloned();
    let mut again: Vec<(&Instant, &String)> = known.iter().map(|(name, access)| (&access.asked, name)).collect();
    again.sort();
    let again = again.into_iter().take(ASKED_AGAIN_MAX).map(|(_, name)| name.clone());
    first.chain(again).collect()
}

fn add_access(topology: &mut Topology, function_name: String, access: &FunctionAccess) {
    topology.function_urls.extend(access.urls.iter().cloned());
    let policy = access.policy.clone().map(|policy| FunctionPolicy { function_name, policy });
    topology.function_policies.extend(policy);
    topology.missing.extend(access.missing.iter().cloned());
}

/// A call that is missing for several things with the same words is missing as a whole: a policy that denies it does
/// so for all of them.
fn collapsed(missing: Vec<MissingAnswer>) -> Vec<MissingAnswer> {
    let mut collapsed: Vec<MissingAnswer> = Vec::with_capacity(missing.len());
    for answer in missing {
        let same = |other: &&mut MissingAnswer| other.call == answer.call && other.reason == answer.reason;
        match collapsed.iter_mut().rev().find(same) {
            Some(other) if answer.reason.contains(" was denied") => other.about = None,
            _ => collapsed.push(answer),
        }
    }
    collapsed
}

told! {
    lambda::FunctionConfiguration => Function { function_name, function_arn, vpc_config }
    lambda::VpcConfigResponse => FunctionVpcConfig { vpc_id, subnet_ids, security_group_ids }
    lambda::FunctionUrlConfig => FunctionUrl { function_url, function_arn, auth_type }
}

words! { lambda::FunctionUrlAuthType }

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn new_functions_come_first_and_then_those_asked_longest_ago() {
        let now = Instant::now();
        let access = |seconds: u64| FunctionAccess {
            asked: now - Duration::from_secs(seconds),
            urls: Vec::new(),
            policy: None,
            missing: Vec::new(),
        };
        let known: KnownAccess = [("old".to_owned(), access(9)), ("older".to_owned(), access(20))].into();
        let names = ["new", "old", "older"].map(str::to_owned).into();
        assert_eq!(chosen(&names, &known), ["new", "older", "old"]);
        let many: BTreeSet<String> = (0..2_000).map(|number| format!("f{number}")).collect();
        assert_eq!(chosen(&many, &KnownAccess::new()).len(), FIRST_ASKED_MAX);
        let known = many.iter().map(|name| (name.clone(), access(1))).collect();
        assert_eq!(chosen(&many, &known).len(), ASKED_AGAIN_MAX);
    }

    #[test]
    fn what_is_denied_for_several_is_missing_as_a_whole() {
        let missing = |about: &str, reason: &str| MissingAnswer {
            call: POLICY_ACTION.into(),
            about: Some(about.into()),
            reason: reason.into(),
        };
        let denied = "lambda:GetPolicy was denied in account 123456789012: no";
        let all =
            collapsed(vec![missing("a", denied), missing("b", denied), missing("c", "lambda:GetPolicy was throttled")]);
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].about.as_deref(), all[1].about.as_deref()), (None, Some("c")));
        let one = collapsed(vec![missing("a", denied)]);
        assert_eq!(one[0].about.as_deref(), Some("a")); // it may be about that function alone
    }
}
