//! How the calls of a topology are made: page by page, thing by thing, and what is noted when one fails.

use super::told::Told;
use crate::{AwsError, call::pages};
use futures::{StreamExt, stream};
use muster_network::{MissingAnswer, Topology};
use std::future::Future;

/// Things that are asked about at once, where each takes a call of its own.
const AT_ONCE: usize = 4;

/// All items of a call with pages by token, in our words: the service's client, the action, the operation's method,
/// how many a page, the answer's list, then what else is asked. A macro, since the SDK's operations share their shape
/// but no trait.
macro_rules! paged {
    ($client:expr, $service:ident, $action:literal, $operation:ident, $per_page:expr, $items:ident $(, $with:ident($value:expr))*) => {
        crate::topology::asked::all($action, |token| {
            let request = $client.inner.$service.$operation().max_results($per_page).set_next_token(token)$(.$with($value))*;
            async move {
                let page = $client.inner.caller.call($action, request.send()).await?;
                Ok((page.$items, page.next_token))
            }
        })
    };
}

/// The same of a call whose pages go by marker (Elastic Load Balancing).
macro_rules! marked {
    ($client:expr, $service:ident, $action:literal, $operation:ident, $per_page:expr, $items:ident $(, $with:ident($value:expr))*) => {
        crate::topology::asked::all($action, |marker| {
            let request = $client.inner.$service.$operation().page_size($per_page).set_marker(marker)$(.$with($value))*;
            async move {
                let page = $client.inner.caller.call($action, request.send()).await?;
                Ok((page.$items, page.next_marker))
            }
        })
    };
}

/// The items of a call that has no pages.
macro_rules! whole {
    ($client:expr, $service:ident, $action:literal, $operation:ident, $items:ident $(, $with:ident($value:expr))*) => {
        async {
            let request = $client.inner.$service.$operation()$(.$with($value))*;
            let answer = $client.inner.caller.call($action, request.send()).await;
            answer.map(|answer| crate::topology::told::Told::told(answer.$items))
        }
    };
}

/// All items of a paged call, in our words.
pub(super) async fn all<T, U, F, Fut>(action: &str, mut fetch: F) -> Result<Vec<U>, AwsError>
where
    T: Told<U>,
    F: FnMut(Option<String>) -> Fut,
    Fut: Future<Output = Result<(Option<Vec<T>>, Option<String>), AwsError>>,
{
    pages(action, |token| {
        let page = fetch(token);
        async move { page.await.map(|(items, next)| (items.told(), next)) }
    })
    .await
}

/// The items; or none, and a note of what is missing. `action` is what was wanted, even where the error is about the
/// way there (a role that is not given any more).
pub(super) fn noted<T: Default>(topology: &mut Topology, action: &str, answer: Result<T, AwsError>) -> T {
    answer.unwrap_or_else(|error| {
        topology.missing.push(missing(action, None, &error));
        T::default()
    })
}

/// The answers to one call about each of these things. What fails is missing for its thing alone; but when the very
/// first are denied, so will all be: then the call as a whole is missing, and no more are made.
pub(super) async fn about_each<T, Fut>(
    topology: &mut Topology,
    action: &str,
    things: impl IntoIterator<Item = String>,
    ask: impl Fn(String) -> Fut,
) -> Vec<T>
where
    Fut: Future<Output = Result<T, AwsError>>,
{
    let asked = things.into_iter().map(|thing| {
        let answer = ask(thing.clone());
        async move { (thing, answer.await) }
    });
    let mut asked = std::pin::pin!(stream::iter(asked).buffered(AT_ONCE));
    let mut answers = Vec::new();
    while let Some((thing, answer)) = asked.next().await {
        match answer {
            Ok(answer) => answers.push(answer),
            Err(error) if error.is_denied() && answers.is_empty() => {
                topology.missing.push(missing(action, None, &error));
                break;
            }
            Err(error) => topology.missing.push(missing(action, Some(thing), &error)),
        }
    }
    answers
}

pub(super) fn missing(action: &str, about: Option<String>, error: &AwsError) -> MissingAnswer {
    MissingAnswer { call: action.to_owned(), about, reason: error.to_string() }
}
