//! Who may enter: AWS clients sign (Signature Version 4), gRPC clients bring a bearer token, browsers a password.
//!
//! The signature is made again from the request and compared in constant time (AWS General Reference, "Signature
//! Version 4 signing process").

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};
use subtle::ConstantTimeEq;

/// How far a client's clock may be off: five minutes, as AWS allows.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// The largest signed body, in bytes: filters are small.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The one pair of keys, or none.
#[derive(Clone)]
pub struct Access {
    keys: Option<Arc<(String, SecretString)>>,
}

/// The address is not loopback and no keys are set.
#[derive(Debug, thiserror::Error)]
#[error("listening on {0} needs MUSTER_ACCESS_KEY_ID and MUSTER_SECRET_ACCESS_KEY, since others could reach it")]
pub struct NotAllowed(SocketAddr);

impl Access {
    /// Without keys only loopback addresses are allowed.
    pub fn new(config: &crate::Config, listen: SocketAddr) -> Result<Self, NotAllowed> {
        let keys = match (&config.access_key_id, &config.secret_access_key) {
            (Some(id), Some(secret)) => Some(Arc::new((id.clone(), secret.clone()))),
            _ if listen.ip().is_loopback() => None,
            _ => return Err(NotAllowed(listen)),
        };
        Ok(Self { keys })
    }
}

/// Lets a request through or answers 403 (401 to a browser, so that it asks). Health needs no keys.
///
/// Without keys only those get in who call us by a name of this machine. A page from elsewhere, whose name its owner
/// lets lead to 127.0.0.1, would else read everything through the user's own browser ("DNS rebinding").
pub async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/healthz" {
        return next.run(request).await;
    }
    let Some(keys) = &access.keys else {
        if asks_this_machine(&request) {
            return next.run(request).await;
        }
        return refuse(&request, "without keys only this machine's own names are answered to, such as localhost");
    };
    let (id, secret) = (keys.0.as_str(), keys.1.expose_secret());
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match authorization.and_then(|value| value.split_once(' ')) {
        Some(("Bearer", token)) if same(token.as_bytes(), secret.as_bytes()) => next.run(request).await,
        Some(("Basic", pair)) if same(pair.as_bytes(), STANDARD.encode(format!("{id}:{secret}")).as_bytes()) => {
            next.run(request).await
        }
        Some(("AWS4-HMAC-SHA256", _)) => {
            let (parts, body) = request.into_parts();
            let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
                return crate::errors::validation("OTHER", "the body is too long").into_response();
            };
            let signed = Signed {
                method: parts.method.as_str(),
                uri: &parts.uri.to_string(),
                headers: &parts.headers,
                body: &body,
            };
            match signed.check(id, secret, SystemTime::now()) {
                Ok(()) => next.run(Request::from_parts(parts, Body::from(body))).await,
                Err(reason) => crate::errors::access_denied(reason).into_response(),
            }
        }
        _ if request.method() == axum::http::Method::GET => {
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"muster\"")]).into_response()
        }
        Some(("Bearer" | "Basic", _)) => refuse(&request, "the key is wrong"),
        _ => refuse(&request, "the request is not signed"),
    }
}

/// In the client's own way.
fn refuse(request: &Request, reason: &'static str) -> Response {
    if crate::errors::speaks_grpc(request.headers()) {
        return tonic::Status::unauthenticated(reason).into_http();
    }
    crate::errors::access_denied(reason).into_response()
}

/// Whether the host asked for (HTTP/2's `:authority`, else `Host`) is loopback. A request without any is no browser's.
fn asks_this_machine(request: &Request) -> bool {
    let host = request.headers().get(header::HOST);
    let authority = match (request.uri().authority(), host) {
        (Some(authority), _) => Some(authority.clone()),
        (None, Some(host)) => match Authority::try_from(host.as_bytes()) {
            Ok(authority) => Some(authority),
            Err(_) => return false,
        },
        (None, None) => None,
    };
    authority.is_none_or(|authority| {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// A request with a Signature Version 4 in its `Authorization` header.
struct Signed<'a> {
    method: &'a str,
    uri: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

impl Signed<'_> {
    /// The reason names what is wrong, never a key or a signature.
    fn check(&self, id: &str, secret: &str, now: SystemTime) -> Result<(), &'static str> {
        let authorization = self.header("authorization").ok_or("the request is not signed")?;
        let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or("the signature's algorithm is unknown")?;
        let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        let credential = field("Credential").ok_or("the signature has no Credential")?;
        let signature = field("Signature").ok_or("the signature has no Signature")?;
        let names = field("SignedHeaders").ok_or("the signature has no SignedHeaders")?;
        let mut scope = credential.rsplitn(5, '/');
        let (Some("aws4_request"), Some(service), Some(region), Some(day), Some(key)) =
            (scope.next(), scope.next(), scope.next(), scope.next(), scope.next())
        else {
            return Err("the signature's scope is malformed");
        };
        if !same(key.as_bytes(), id.as_bytes()) {
            return Err("the access key is unknown");
        }
        let date = self.header("x-amz-date").ok_or("the request has no X-Amz-Date")?;
        if !date.starts_with(day) {
            return Err("the signature's scope is of another day");
        }
        let time = time(date).ok_or("X-Amz-Date is malformed")?;
        let skew = now.duration_since(time).unwrap_or_else(|error| error.duration());
        if skew > CLOCK_SKEW {
            return Err("the signature has expired, or the client's clock is off");
        }
        let signed: Vec<&str> = names.split(';').collect();
        if !signed.contains(&"host") {
            return Err("the host is not signed");
        }
        // The signer adds these two itself, from what it is given.
        let headers = signed.iter().filter(|name| !matches!(**name, "x-amz-date" | "x-amz-security-token"));
        let headers: Vec<(&str, &str)> = headers
            .map(|name| self.header(name).map(|value| (*name, value)).ok_or("a signed header is missing"))
            .collect::<Result<_, _>>()?;
        let token = self.header("x-amz-security-token").map(str::to_owned);
        let identity = Credentials::new(id, secret, token, None, "muster").into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| "the signature cannot be checked")?;
        let request = SignableRequest::new(self.method, self.uri, headers.into_iter(), SignableBody::Bytes(self.body))
            .map_err(|_| "the signature cannot be checked")?;
        let expected = sign(request, &params.into()).map_err(|_| "the signature cannot be checked")?;
        if same(expected.signature().as_bytes(), signature.as_bytes()) {
            Ok(())
        } else {
            Err("the signature does not match")
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// `YYYYMMDDTHHMMSSZ`.
fn time(date: &str) -> Option<SystemTime> {
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()?;
    let seconds = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?.as_second();
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "20261124T080000Z";

    /// Signs as a client does, then changes the request with `tamper`.
    fn check(secret: &str, tamper: impl FnOnce(&mut HeaderMap, &mut Vec<u8>), now: &str, expected: Result<(), &str>) {
        let mut body = br#"{"maxResults":1}"#.to_vec();
        let identity = Credentials::new("AKID", "secret", None, None, "test").into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("inspector2")
            .time(time(NOW).unwrap())
            .settings(SigningSettings::default())
            .build()
            .unwrap();
        let uri = "/findings/list";
        let given = [("host", "127.0.0.1:7080"), ("content-type", "application/json")];
        let request = SignableRequest::new("POST", uri, given.into_iter(), SignableBody::Bytes(&body)).unwrap();
        let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.insert(name, value.parse().unwrap());
        }
        for (name, value) in instructions.headers() {
            headers.insert(axum::http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        tamper(&mut headers, &mut body);
        let signed = Signed { method: "POST", uri, headers: &headers, body: &body };
        assert_eq!(signed.check("AKID", secret, time(now).unwrap()), expected);
    }

    #[test]
    fn only_the_request_that_was_signed_gets_in() {
        check("secret", |_, _| {}, NOW, Ok(()));
        check("other", |_, _| {}, NOW, Err("the signature does not match"));
        check("secret", |_, body| body.push(b' '), NOW, Err("the signature does not match"));
        let host = |headers: &mut HeaderMap, _: &mut Vec<u8>| {
            headers.insert("host", "evil:7080".parse().unwrap());
        };
        check("secret", host, NOW, Err("the signature does not match"));
        let expired = Err("the signature has expired, or the client's clock is off");
        check("secret", |_, _| {}, "20261124T080501Z", expired);
        check("secret", |_, _| {}, "20261124T075459Z", expired);
    }

    #[test]
    fn without_keys_only_this_machines_names_are_answered_to() {
        let asks = |uri: &str, host: Option<&str>| {
            let builder = axum::http::Request::builder().uri(uri);
            let builder = host.into_iter().fold(builder, |builder, host| builder.header("host", host));
            asks_this_machine(&builder.body(Body::empty()).unwrap())
        };
        for host in ["127.0.0.1:7080", "localhost", "localhost:7080", "muster.localhost", "[::1]:7080", "127.1.2.3"] {
            assert!(asks("/", Some(host)), "{host}");
            assert!(asks(&format!("http://{host}/"), None), "{host}");
        }
        assert!(asks("/", None), "no browser leaves its host out");
        for host in ["evil.example:7080", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example", "a b", ""] {
            assert!(!asks("/", Some(host)), "{host}");
        }
    }

    #[test]
    fn beyond_loopback_keys_are_needed() {
        let none = crate::Config { access_key_id: None, secret_access_key: None };
        assert!(Access::new(&none, "127.0.0.1:7080".parse().unwrap()).is_ok());
        assert!(Access::new(&none, "[::1]:7080".parse().unwrap()).is_ok());
        assert!(Access::new(&none, "0.0.0.0:7080".parse().unwrap()).is_err());
        let some = crate::Config { access_key_id: Some("a".into()), secret_access_key: Some("b".to_owned().into()) };
        assert!(Access::new(&some, "0.0.0.0:7080".parse().unwrap()).is_ok());
    }
}
