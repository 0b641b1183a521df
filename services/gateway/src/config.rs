//! Settings of the gateway.

use secrecy::SecretString;

/// Settings of the gateway: who may enter. Without them everybody on this machine may, and nobody else.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "gateway settings")]
pub struct Config {
    /// The access key that clients sign with. With the secret key, needed to listen beyond loopback.
    #[arg(long, env = "MUSTER_ACCESS_KEY_ID", requires = "secret_access_key")]
    pub access_key_id: Option<String>,

    /// The secret key that belongs to it; gRPC clients send it as a bearer token, browsers as a password.
    #[arg(long, env = "MUSTER_SECRET_ACCESS_KEY", requires = "access_key_id", hide_env_values = true)]
    pub secret_access_key: Option<SecretString>,
}
