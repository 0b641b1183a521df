//! Ed25519 keys (RFC 8032) in PEM, as OpenSSL reads and writes them: a public key as SubjectPublicKeyInfo (RFC 8410 §4),
//! a secret one as PKCS#8 (RFC 8410 §7). So a key may come from `openssl genpkey -algorithm ed25519`, and a
//! signature may be checked without this program.

use super::error::{DistributionError, io};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_domain::Digest;
use ring::rand::SecureRandom as _;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

/// Before the 32 bytes of a public key: sequence, algorithm 1.3.101.112, bit string (RFC 8410 §4).
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Before the 32 bytes of a secret key: sequence, version 0, algorithm, octet string in an octet string (RFC 8410 §7).
const SECRET_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

const PUBLIC_LABEL: &str = "PUBLIC KEY";
const SECRET_LABEL: &str = "PRIVATE KEY";

/// A key file has below 200 bytes; comments before the key are allowed, a wrong file must not fill the memory.
const KEY_FILE_BYTES_MAX: u64 = 16 << 10;

/// Which key: SHA-256 of its SubjectPublicKeyInfo in hexadecimal, that is, what
/// `openssl pkey -pubin -in FILE -outform DER | sha256sum` says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What signatures are checked with. Not a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    point: [u8; 32],
}

impl PublicKey {
    fn from_point(point: [u8; 32]) -> Self {
        let der = [&PUBLIC_PREFIX[..], &point].concat();
        Self { id: KeyId(Digest::of(&der).hex().to_owned()), point }
    }

    /// From PEM. `place` is what an error names.
    ///
    /// # Errors
    /// When it is no Ed25519 public key.
    pub fn from_pem(place: &Path, pem: &str) -> Result<Self, DistributionError> {
        let der = der(place, pem, PUBLIC_LABEL)?;
        let point = der.strip_prefix(&PUBLIC_PREFIX).and_then(|point| point.try_into().ok());
        point.map(Self::from_point).ok_or_else(|| malformed(place, "no Ed25519 public key in it"))
    }

    /// From a file of PEM.
    ///
    /// # Errors
    /// When it can't be read or is no Ed25519 public key.
    pub fn read(path: &Path) -> Result<Self, DistributionError> {
        Self::from_pem(path, &key_file(path)?)
    }

    /// As PEM, with a line's end.
    pub fn to_pem(&self) -> String {
        pem(PUBLIC_LABEL, &[&PUBLIC_PREFIX[..], &self.point].concat())
    }

    /// Which key it is.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Whether the signature is this key's over these bytes.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.point).verify(message, signature).is_ok()
    }
}

/// What an index is signed with. Never shown by `Debug`.
pub struct SecretKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretKey({})", self.public.id)
    }
}

impl SecretKey {
    /// From PEM. `place` is what an error names.
    ///
    /// # Errors
    /// When it is no unencrypted Ed25519 secret key.
    pub fn from_pem(place: &Path, pem: &str) -> Result<Self, DistributionError> {
        Self::from_pkcs8(&der(place, pem, SECRET_LABEL)?)
            .ok_or_else(|| malformed(place, "no unencrypted Ed25519 secret key in it"))
    }

    /// From a file of PEM.
    ///
    /// # Errors
    /// When it can't be read or is no unencrypted Ed25519 secret key.
    pub fn read(path: &Path) -> Result<Self, DistributionError> {
        Self::from_pem(path, &key_file(path)?)
    }

    /// The key that the signatures are checked with.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign(message).as_ref().try_into().expect("an Ed25519 signature has 64 bytes (RFC 8032 §5.1.6)")
    }

    /// "Maybe unchecked": OpenSSL leaves out the public half, against which it would be checked.
    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?;
        let point = pair.public_key().as_ref().try_into().ok()?;
        Some(Self { pair, public: PublicKey::from_point(point) })
    }
}

/// Makes a pair of keys: the secret one readable by its owner alone. Neither file may exist: a key that is in use
/// is not overwritten.
///
/// # Errors
/// When a file exists or can't be written, or there is no randomness.
pub fn generate(secret: &Path, public: &Path) -> Result<PublicKey, DistributionError> {
    let mut seed = [0; 32];
    ring::rand::SystemRandom::new().fill(&mut seed).map_err(|_| DistributionError::NoRandomness)?;
    let der = [&SECRET_PREFIX[..], &seed].concat();
    let key = SecretKey::from_pkcs8(&der).expect("any 32 bytes are an Ed25519 secret key (RFC 8032 §5.1.5)");
    write_new(secret, 0o600, &pem(SECRET_LABEL, &der))?;
    let written = write_new(public, 0o644, &key.public.to_pem());
    if written.is_err() {
        // Ours, a moment old, and of no use without its other half. The error that matters is the one above.
        let _ = std::fs::remove_file(secret);
    }
    written.map(|()| key.public)
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), DistributionError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = File::options().write(true).create_new(true).mode(mode).open(path).map_err(io("create", path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io("write", path))
}

fn key_file(path: &Path) -> Result<String, DistributionError> {
    let mut text = String::new();
    let file = File::open(path).map_err(io("open", path))?;
    file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text).map_err(io("read", path))?;
    Ok(text)
}

/// RFC 7468; the keys here fit one line.
fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn der(place: &Path, pem: &str, label: &str) -> Result<Vec<u8>, DistributionError> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let body = pem.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).map(|(body, _)| body);
    let body = body.ok_or_else(|| {
        malformed(place, if label == PUBLIC_LABEL { "no `BEGIN PUBLIC KEY`" } else { "no `BEGIN PRIVATE KEY`" })
    })?;
    let digits: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(digits).map_err(|_| malformed(place, "its text is not Base64"))
}

fn malformed(place: &Path, why: &'static str) -> DistributionError {
    DistributionError::MalformedKey { path: place.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(seed: &str) -> SecretKey {
        let seed = hex::decode(seed).unwrap();
        SecretKey::from_pem(Path::new("test"), &pem(SECRET_LABEL, &[&SECRET_PREFIX[..], &seed].concat())).unwrap()
    }

    #[test]
    fn keys_and_signatures_are_those_of_the_standard() {
        // RFC 8032 §7.1: test 1 (no bytes), test 2 (one byte)
        for (seed, point, message, signature) in [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
        ] {
            let (key, message) = (secret(seed), hex::decode(message).unwrap());
            assert_eq!(hex::encode(key.public().point), point);
            assert_eq!(hex::encode(key.sign(&message)), signature);
            assert!(key.public().has_signed(&message, &hex::decode(signature).unwrap()));
            assert!(!key.public().has_signed(b"other", &hex::decode(signature).unwrap()));
            assert_eq!(&PublicKey::from_pem(Path::new("test"), &key.public().to_pem()).unwrap(), key.public());
        }
    }

    /// RFC 8410 §10.1 and §10.3: the public key and, without its public half, the secret key of the same pair.
    #[test]
    fn keys_of_openssl_are_read() {
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        let secret = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let public = PublicKey::from_pem(Path::new("test"), public).unwrap();
        assert_eq!(SecretKey::from_pem(Path::new("test"), secret).unwrap().public(), &public);
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_place() {
        let check = |text: &str, expected: &str| {
            let error = PublicKey::from_pem(Path::new("k.pem"), text).unwrap_err();
            assert_eq!(error.to_string(), format!("`k.pem` is not a key: {expected}"));
        };
        check("", "no `BEGIN PUBLIC KEY`");
        check("-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----", "no `BEGIN PUBLIC KEY`"); // the wrong half
        check("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", "no Ed25519 public key in it");
        check("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----", "no Ed25519 public key in it"); // cut short
        check("-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----", "its text is not Base64");
    }

    #[test]
    fn a_secret_key_is_for_its_owner_and_is_never_overwritten_nor_shown() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (secret, public) = (folder.path().join("secret.pem"), folder.path().join("public.pem"));
        let made = generate(&secret, &public).unwrap();
        assert_eq!(std::fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
        let key = SecretKey::read(&secret).unwrap();
        assert_eq!((key.public(), &PublicKey::read(&public).unwrap()), (&made, &made));
        assert_eq!(format!("{key:?}"), format!("SecretKey({})", made.id()));
        assert!(generate(&secret, &folder.path().join("other.pem")).is_err());
        assert!(generate(&folder.path().join("other.pem"), &public).is_err());
        assert!(!folder.path().join("other.pem").exists());
        assert_eq!(SecretKey::read(&secret).unwrap().public(), &made);
    }
}
