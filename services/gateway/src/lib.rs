//! The gateway: the one door for people and tools. gRPC, the Inspector-compatible REST API and the pages share one
//! port, and one check of who may enter.

mod access;
mod config;
mod errors;
mod filters;
mod findings;
mod inspector;
mod pages;
mod status;

pub use access::{Access, NotAllowed, guard};
pub use config::Config;
pub use findings::Questions as FindingQuestions;
pub use inspector::unknown;
pub use status::Questions as StatusQuestions;

use anyhow::{Context, Result};
use axum::Router;
use muster_kit::Backends;

/// The name in logs and metrics.
pub const SERVICE: &str = "gateway";

/// Answers from the store; it writes nothing.
pub struct Gateway {
    backends: Backends,
}

impl Gateway {
    /// Ready when the store answers.
    pub async fn start(backends: Backends) -> Result<Self> {
        backends.store.counts().await.context("count what the store holds")?;
        Ok(Self { backends })
    }

    /// `FindingService`.
    pub fn finding_questions(&self) -> FindingQuestions {
        FindingQuestions::new(self.backends.store.clone())
    }

    /// `StatusService`.
    pub fn status_questions(&self) -> StatusQuestions {
        StatusQuestions::new(self.backends.clone())
    }

    /// The REST API and the pages.
    pub fn router(&self) -> Router {
        inspector::router(self.backends.store.clone()).merge(pages::router())
    }
}
