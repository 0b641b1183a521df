//! Asking a running system over gRPC.

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

/// Nobody waits longer for a local answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the gateway is, and what it asks for.
#[derive(clap::Args)]
pub struct Gateway {
    /// The gateway's address.
    #[arg(long, env = "MUSTER_GATEWAY", default_value = "http://127.0.0.1:7080")]
    gateway: String,
    /// The secret key, when the gateway was started with one.
    #[arg(long, env = "MUSTER_SECRET_ACCESS_KEY", hide_env_values = true)]
    secret_access_key: Option<SecretString>,
}

/// A connection that brings the bearer token along.
pub type Connection = InterceptedService<Channel, Token>;

impl Gateway {
    /// Connects, or says that nobody is there.
    pub async fn connect(&self) -> Result<Connection> {
        let endpoint = Endpoint::from_shared(self.gateway.clone())
            .with_context(|| format!("gateway `{}`", self.gateway))?
            .connect_timeout(CONNECT_TIMEOUT);
        let channel = endpoint.connect().await.with_context(|| format!("connect to {}", self.gateway))?;
        let token = self.secret_access_key.as_ref().map(|secret| {
            let mut token: MetadataValue<Ascii> = format!("Bearer {}", secret.expose_secret()).parse()?;
            token.set_sensitive(true);
            anyhow::Ok(token)
        });
        Ok(InterceptedService::new(channel, Token(token.transpose().context("the secret key is not plain text")?)))
    }
}

/// Adds the bearer token to each call.
#[derive(Clone)]
pub struct Token(Option<MetadataValue<Ascii>>);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// What a call said, as an error for people.
pub fn refusal(status: Status) -> anyhow::Error {
    anyhow::anyhow!("{}", status.message())
}
