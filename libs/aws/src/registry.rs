//! The way into ECR's registry: a user and a password that hold for twelve hours.

use crate::{AwsError, RegionClient, client::timestamp};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::net::IpAddr;

/// A password is renewed so much before it ends that one long image can still be read with it.
const MARGIN: SignedDuration = SignedDuration::from_mins(60);

/// What ECR's registry asks for when layers are read from it (ECR `GetAuthorizationToken`).
#[derive(Clone, Debug)]
pub struct RegistryCredentials {
    /// Address of the registry, `HOST[:PORT]`, with `http://` in front when it has no TLS.
    pub endpoint: String,
    /// `AWS`.
    pub user: String,
    /// Valid for at least [an hour](MARGIN), shown by no `Debug`.
    pub password: SecretString,
}

impl RegionClient {
    /// The registry's address, user and password; kept until an hour before they end.
    pub async fn registry_credentials(&self) -> Result<RegistryCredentials, AwsError> {
        let mut held = self.inner.registry.lock().await;
        if let Some((credentials, until)) = held.as_ref().filter(|(_, until)| *until > Timestamp::now()) {
            tracing::trace!(%until, "registry credentials reused");
            return Ok(credentials.clone());
        }
        let (credentials, ends_at) = self.fresh_registry_credentials().await?;
        let until = ends_at.checked_sub(MARGIN).unwrap_or(ends_at);
        *held = Some((credentials.clone(), until));
        Ok(credentials)
    }

    async fn fresh_registry_credentials(&self) -> Result<(RegistryCredentials, Timestamp), AwsError> {
        const ACTION: &str = "ecr:GetAuthorizationToken";
        let answer = self.inner.caller.call(ACTION, self.inner.ecr.get_authorization_token().send()).await?;
        let incomplete = |what: &str| AwsError::other(ACTION, format!("the answer has no readable {what}"));
        let data = answer.authorization_data().first().ok_or_else(|| incomplete("authorization data"))?;
        let (user, password) =
            data.authorization_token().and_then(user_and_password).ok_or_else(|| incomplete("token"))?;
        let endpoint = data.proxy_endpoint().map(endpoint_of).ok_or_else(|| incomplete("proxy endpoint"))?;
        let ends_at = timestamp(data.expires_at()).ok_or_else(|| incomplete("expiry"))?;
        Ok((RegistryCredentials { endpoint, user, password }, ends_at))
    }
}

/// The token is the base64 of `USER:PASSWORD`, as HTTP basic authentication wants it.
fn user_and_password(token: &str) -> Option<(String, SecretString)> {
    let decoded = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), SecretString::from(password.to_owned())))
}

/// `https://` is what everyone assumes, so it is left away; `http://` stays.
fn endpoint_of(proxy_endpoint: &str) -> String {
    let endpoint = proxy_endpoint.trim_end_matches('/');
    endpoint.strip_prefix("https://").unwrap_or(endpoint).to_owned()
}

/// Where the layers of a repository are: the host in its URI, unless the token is for a registry without TLS on this
/// machine (an emulator). Only there: a password never goes over another machine's wire in clear.
pub(crate) fn layers_endpoint(repository_uri: &str, token_endpoint: Option<&str>) -> String {
    match token_endpoint {
        Some(endpoint) if is_plain_loopback(endpoint) => endpoint.to_owned(),
        _ => repository_uri.split('/').next().unwrap_or_default().to_owned(),
    }
}

fn is_plain_loopback(endpoint: &str) -> bool {
    let Some(address) = endpoint.strip_prefix("http://") else {
        return false;
    };
    let host = match address.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next().unwrap_or_default(),
        None => address.split([':', '/']).next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn layers_come_from_the_repositorys_host_unless_an_emulator_holds_them() {
        let uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app";
        let host = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
        let check =
            |token: Option<&str>, expected: &str| assert_eq!(layers_endpoint(uri, token), expected, "{token:?}");
        check(Some(host), host);
        check(None, host); // GetAuthorizationToken was denied
        check(Some("http://127.0.0.1:5000"), "http://127.0.0.1:5000");
        check(Some("http://[::1]:5000"), "http://[::1]:5000");
        check(Some("http://localhost:5000"), "http://localhost:5000");
        check(Some("http://registry.example:5000"), host);
        check(Some("http://127.0.0.1.example:5000"), host);
    }

    #[test]
    fn tls_is_not_spelled_out() {
        assert_eq!(
            endpoint_of("https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
        );
        assert_eq!(endpoint_of("http://127.0.0.1:5000/"), "http://127.0.0.1:5000");
    }

    #[test]
    fn a_token_is_user_and_password_and_debug_does_not_show_it() {
        let (user, password) = user_and_password(&STANDARD.encode("AWS:a:b")).unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("AWS", "a:b"));
        let credentials = RegistryCredentials { endpoint: "registry".into(), user, password };
        assert!(!format!("{credentials:?}").contains("a:b"));
        for broken in ["", "%%%", &STANDARD.encode("no colon")] {
            assert!(user_and_password(broken).is_none(), "{broken}");
        }
    }
}
