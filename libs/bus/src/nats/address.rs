//! The address of a NATS server or cluster, with what else a connection needs.

use crate::BusError;
use async_nats::{ConnectOptions, ServerAddr};
use std::{path::PathBuf, str::FromStr};

/// `nats://[USER:PASSWORD@]HOST[:PORT][,…][?replicas=N][&credentials=FILE]`.
pub(super) struct Address {
    /// Without user and password: the client writes them to its debug log.
    pub servers: Vec<ServerAddr>,
    pub replicas: usize,
    user: Option<(String, String)>,
    credentials: Option<PathBuf>,
}

impl FromStr for Address {
    type Err = BusError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let malformed = |why: &str| BusError::MalformedAddress(why.to_owned()); // never quotes a password
        let (servers, options) = raw.split_once('?').unwrap_or((raw, ""));
        let mut address = Self { servers: Vec::new(), replicas: 1, user: None, credentials: None };
        for server in servers.split(',') {
            let not_a_server = || malformed("a server is not nats://HOST:PORT");
            let server: ServerAddr = server.trim().parse().map_err(|_| not_a_server())?;
            let user = server.username().zip(server.password());
            let user = user.map(|(user, password)| (user.to_owned(), password.to_owned()));
            address.user = address.user.or(user);
            let mut url = server.into_inner();
            url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| not_a_server())?;
            address.servers.push(ServerAddr::from_url(url).map_err(|_| not_a_server())?);
        }
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("replicas", count @ ("1" | "3" | "5"))) => {
                    address.replicas = count.parse().map_err(|_| malformed("replicas is not a number"))?;
                }
                Some(("replicas", _)) => return Err(malformed("replicas is not 1, 3 or 5")),
                Some(("credentials", file)) => address.credentials = Some(file.into()),
                _ => return Err(malformed("an option is neither replicas nor credentials")),
            }
        }
        Ok(address)
    }
}

impl Address {
    pub fn options(&self) -> Result<ConnectOptions, BusError> {
        let mut options = ConnectOptions::new().name("muster");
        if let Some((user, password)) = self.user.clone() {
            options = options.user_and_password(user, password);
        }
        if let Some(file) = &self.credentials {
            let unreadable = |cause| BusError::MalformedAddress(format!("credentials {}: {cause}", file.display()));
            let credentials = std::fs::read_to_string(file).map_err(unreadable)?;
            options = options.credentials(&credentials).map_err(unreadable)?;
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_servers_replicas_and_credentials() {
        for (raw, servers, replicas) in [
            ("nats://localhost:4222", 1, 1),
            ("nats://user:secret@nats", 1, 1),
            ("nats://a:4222,nats://b:4222,tls://c:4222?replicas=3", 3, 3),
        ] {
            let address: Address = raw.parse().expect(raw);
            assert_eq!((address.servers.len(), address.replicas), (servers, replicas), "{raw}");
            assert!(!format!("{:?}", address.servers).contains("secret"), "{raw}");
        }
    }

    #[test]
    fn a_wrong_address_is_refused_without_its_password() {
        for (raw, why) in [
            ("nats://user:secret@:1:2", "bus address: a server is not nats://HOST:PORT"),
            ("nats://user:secret@nats?replicas=2", "bus address: replicas is not 1, 3 or 5"),
            ("nats://nats?password=secret", "bus address: an option is neither replicas nor credentials"),
        ] {
            assert_eq!(raw.parse::<Address>().err().expect(raw).to_string(), why);
        }
    }
}
