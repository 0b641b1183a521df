//! Bytes and who vouches for them, in one file: a DSSE envelope
//! (github.com/secure-systems-lab/dsse, envelope.md and protocol.md, version 1.0.2), as in-toto and Sigstore use it.
//!
//! The signature is over type and payload as they are, so nothing is parsed before it was checked, and no
//! "canonical JSON" is needed.

use super::error::DistributionError;
use super::index::INDEX_NAME;
use super::keys::{PublicKey, SecretKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

/// What the payload is; signed with it, so that a signature for something else is none for an index.
pub const PAYLOAD_TYPE: &str = "application/vnd.muster.advisory-index+json";

/// Old key, new key and some to spare: each costs a check.
const SIGNATURES_MAX: usize = 16;

#[derive(Deserialize, Serialize)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Deserialize, Serialize)]
struct Signature {
    /// A hint at the key, not vouched for; optional in DSSE.
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// The envelope of these bytes, signed by each of the keys: during a rotation by the old and the new one.
pub fn sign(payload: &[u8], keys: &[SecretKey]) -> Vec<u8> {
    let message = message(PAYLOAD_TYPE, payload);
    let signature =
        |key: &SecretKey| Signature { keyid: key.public().id().to_string(), sig: STANDARD.encode(key.sign(&message)) };
    let envelope = Envelope {
        payload: STANDARD.encode(payload),
        payload_type: PAYLOAD_TYPE.to_owned(),
        signatures: keys.iter().map(signature).collect(),
    };
    serde_json::to_vec(&envelope).expect("texts and lists of texts are always JSON")
}

/// The bytes in the envelope, when at least one of the trusted keys signed them.
///
/// # Errors
/// Tells apart: no envelope, no signature, none by a trusted key, and one that does not fit.
pub fn verify(envelope: &[u8], trusted: &[PublicKey]) -> Result<Vec<u8>, DistributionError> {
    let envelope: Envelope = serde_json::from_slice(envelope).map_err(|cause| not_an_envelope(cause.to_string()))?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(not_an_envelope("its payload is of another type".to_owned()));
    }
    if envelope.signatures.len() > SIGNATURES_MAX {
        return Err(not_an_envelope(format!("it has more than {SIGNATURES_MAX} signatures")));
    }
    if envelope.signatures.is_empty() {
        return Err(DistributionError::Unsigned(INDEX_NAME));
    }
    let payload = base64(&envelope.payload).ok_or_else(|| not_an_envelope("its payload is not Base64".to_owned()))?;
    let message = message(&envelope.payload_type, &payload);
    let mut wrong = None;
    for signature in &envelope.signatures {
        let bytes = base64(&signature.sig).unwrap_or_default();
        let meant = |key: &&PublicKey| signature.keyid.is_empty() || key.id().as_str() == signature.keyid;
        for key in trusted.iter().filter(meant) {
            if key.has_signed(&message, &bytes) {
                return Ok(payload);
            }
            // Without an id nobody says that it is this key's.
            if !signature.keyid.is_empty() {
                wrong = Some(key.id().clone());
            }
        }
    }
    let keys = envelope.signatures.into_iter().map(|signature| signature.keyid).collect();
    Err(match wrong {
        Some(key) => DistributionError::WrongSignature { name: INDEX_NAME, key },
        None => DistributionError::UnknownKey { name: INDEX_NAME, keys },
    })
}

/// What is signed: DSSE's "pre-authentication encoding" (protocol.md, "Signature Definition").
fn message(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// "Either standard or URL-safe encoding is allowed" (envelope.md).
fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

fn not_an_envelope(why: String) -> DistributionError {
    DistributionError::NotAnEnvelope { name: INDEX_NAME, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        let folder = tempfile::tempdir().unwrap();
        let (secret, public) = (folder.path().join("s"), folder.path().join("p"));
        super::super::keys::generate(&secret, &public).unwrap();
        SecretKey::read(&secret).unwrap()
    }

    #[test]
    fn what_is_signed_is_written_as_the_specification_does() {
        // the example of DSSE's protocol.md
        let message = message("http://example.com/HelloWorld", b"hello world");
        assert_eq!(message, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn one_trusted_signature_is_enough_so_that_keys_can_be_rotated() {
        let (old, new, other) = (key(), key(), key());
        let trusted = |key: &SecretKey| vec![key.public().clone()];
        let keys = [old, new];
        let envelope = sign(b"{}", &keys);
        assert_eq!(verify(&envelope, &trusted(&keys[0])).unwrap(), b"{}");
        assert_eq!(verify(&envelope, &trusted(&keys[1])).unwrap(), b"{}");
        let error = verify(&envelope, &trusted(&other)).unwrap_err();
        assert!(matches!(error, DistributionError::UnknownKey { keys, .. } if keys.len() == 2));
        assert!(matches!(verify(&envelope, &[]), Err(DistributionError::UnknownKey { .. })));
    }

    #[test]
    fn an_id_is_a_hint_and_no_proof() {
        let (ours, other) = (key(), key());
        let trusted = [ours.public().clone()];
        let ours = [ours];
        let swap = |envelope: Vec<u8>, from: &str, to: &str| {
            String::from_utf8(envelope).unwrap().replace(from, to).into_bytes()
        };
        let (id, other_id) = (ours[0].public().id().to_string(), other.public().id().to_string());
        // left out: every trusted key is tried
        assert!(verify(&swap(sign(b"{}", &ours), &id, ""), &trusted).is_ok());
        // a stranger's signature under our name
        let forged = swap(sign(b"{}", &[other]), &other_id, &id);
        let error = verify(&forged, &trusted).unwrap_err();
        assert!(matches!(error, DistributionError::WrongSignature { key, .. } if key.as_str() == id));
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        let ours = [key()];
        let trusted = [ours[0].public().clone()];
        let good = String::from_utf8(sign(b"{}", &ours)).unwrap();
        let check = |text: &str, expected: &str| {
            assert!(verify(text.as_bytes(), &trusted).unwrap_err().to_string().starts_with(expected), "{text}");
        };
        check("", "`index.json` is not a signed envelope: EOF");
        check("{}", "`index.json` is not a signed envelope: missing field");
        check(
            &good.replace(PAYLOAD_TYPE, "application/json"),
            "`index.json` is not a signed envelope: its payload is of",
        );
        check(&good.replace("\"e30=\"", "\"*\""), "`index.json` is not a signed envelope: its payload is not Base64");
        check(&good.replace("\"e30=\"", "\"W10=\""), "`index.json` is not what key"); // `[]` in place of `{}`
        check(
            &format!("{}\"signatures\":[]}}", good.split("\"signatures\"").next().unwrap()),
            "`index.json` has no signature",
        );
    }
}
