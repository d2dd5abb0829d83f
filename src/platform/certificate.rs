//! Certificates that are brought along, with their private keys: read from PEM, judged without a platform. The key is for the
//! Secret alone: no driver gets to see it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use k8s_openapi::jiff::Timestamp;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use x509_parser::prelude::X509Certificate;

use super::{Error, Field, Issued, Kind};
use crate::plan::digest;
use crate::plan::technical_user::Life;

/// Characters in a line of PEM (RFC 7468 §2).
const LINE: usize = 64;

/// A certificate, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    valid_from: Timestamp,
    valid_until: Timestamp,
}

/// Why a certificate cannot be used. `Display` is one clause that is safe to show to anybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There is no PEM block of a certificate, or what is in it is none.
    #[error("`tls.crt` is not a certificate in PEM")]
    NoCertificate,
    /// There is no PEM block of a private key, or it is of a kind that TLS does not know.
    #[error("`tls.key` is not a private key in PEM")]
    NoKey,
    /// Key and certificate are two halves of different pairs.
    #[error("`tls.key` is not the key of the certificate in `tls.crt`")]
    AnotherKey,
    /// It is over.
    #[error("the certificate in `tls.crt` expired at {0}")]
    Expired(Timestamp),
    /// It has yet to begin.
    #[error("the certificate in `tls.crt` is not valid before {0}")]
    NotYetValid(Timestamp),
}

impl Certificate {
    /// Reads the first certificate of a PEM text: the leaf, where a chain follows.
    pub(super) fn read(pem: &[u8]) -> Result<Self, Unusable> {
        let der = CertificateDer::from_pem_slice(pem).map_err(|_| Unusable::NoCertificate)?;
        let valid = parsed(&der)?.validity().clone();
        let moment = |seconds| Timestamp::from_second(seconds).map_err(|_| Unusable::NoCertificate);
        let (from, until) = (moment(valid.not_before.timestamp())?, moment(valid.not_after.timestamp())?);
        Ok(Self { der: der.to_vec(), valid_from: from, valid_until: until })
    }

    /// In DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// A digest of it, by which it is known where nobody else gives it an id.
    pub fn digest(&self) -> String {
        digest::of([self.der.as_slice()], 16)
    }

    /// In PEM, with nothing around it.
    pub fn pem(&self) -> String {
        let text = BASE64_STANDARD.encode(&self.der);
        let lines = (0..text.len()).step_by(LINE).map(|at| &text[at..text.len().min(at + LINE)]);
        let all = ["-----BEGIN CERTIFICATE-----"].into_iter().chain(lines).chain(["-----END CERTIFICATE-----", ""]);
        all.collect::<Vec<_>>().join("\n")
    }

    /// Whether it is valid at this time.
    pub fn check(&self, now: Timestamp) -> Result<(), Unusable> {
        if now < self.valid_from {
            return Err(Unusable::NotYetValid(self.valid_from));
        }
        if now >= self.valid_until { Err(Unusable::Expired(self.valid_until)) } else { Ok(()) }
    }

    /// When it begins.
    pub(super) const fn valid_from(&self) -> Timestamp {
        self.valid_from
    }

    /// When it ends.
    pub const fn valid_until(&self) -> Timestamp {
        self.valid_until
    }
}

/// A certificate with its chain and its private key. It has no `Debug`.
pub struct KeyPair {
    certificate: Certificate,
    chain: String,
    key: SecretString,
    authority: Option<String>,
}

impl KeyPair {
    /// Reads what a Secret of type `kubernetes.io/tls` holds: `tls.crt`, `tls.key`, and `ca.crt` if it has one.
    pub fn read(chain: &[u8], key: &[u8], authority: Option<&[u8]>) -> Result<Self, Unusable> {
        let certificate = Certificate::read(chain)?;
        let der = PrivateKeyDer::from_pem_slice(key).map_err(|_| Unusable::NoKey)?;
        let signing = any_supported_type(&der).map_err(|_| Unusable::NoKey)?;
        let theirs = signing.public_key().ok_or(Unusable::NoKey)?;
        if parsed(certificate.der())?.public_key().raw != theirs.as_ref() {
            return Err(Unusable::AnotherKey);
        }
        // Both were read as PEM, which is text.
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (chain, key, authority) = (text(chain), text(key).into(), authority.map(text));
        Ok(Self { certificate, chain, key, authority })
    }

    /// The certificate alone.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Digest of all of it, by which a change is seen.
    pub fn digest(&self) -> String {
        let authority = self.authority.as_deref().unwrap_or_default();
        digest::of([self.chain.as_str(), self.key.expose_secret(), authority].map(str::as_bytes), 16)
    }

    /// A credential that was made of the certificate, with what its consumers need of this. Of an OAuth client SAP's
    /// libraries read `certificate` and `key`.
    pub fn complete(&self, mut issued: Issued) -> Issued {
        let is_client = issued.fields.contains_key("clientid");
        let mut add = |name: &str, value: SecretString| issued.fields.insert(name.to_owned(), Field::Text(value));
        let names: &[_] =
            if is_client { &[("tls.crt", "tls.key"), ("certificate", "key")] } else { &[("tls.crt", "tls.key")] };
        for (certificate, key) in names {
            add(certificate, self.chain.clone().into());
            add(key, self.key.clone());
        }
        if let Some(authority) = &self.authority {
            add("ca.crt", authority.clone().into());
        }
        issued
    }
}

/// From when to when a credential is good, as the certificate in it says; nothing, where it has none. One that is to be a
/// certificate, by its mark, and has none is refused ([`Kind::ProofRefused`]): a broker that does not know certificates gives
/// what it always gives.
pub fn life(issued: &Issued) -> Result<Option<Life>, Error> {
    let chain = match issued.fields.get("tls.crt") {
        Some(Field::Text(chain)) => chain.expose_secret(),
        _ => "",
    };
    match Certificate::read(chain.as_bytes()) {
        Ok(leaf) => Ok(Some(Life { from: leaf.valid_from, until: leaf.valid_until })),
        Err(_) if issued.credential.material.is_none() => Ok(None),
        Err(_) => {
            let detail = "a certificate was asked for, and the credential has none";
            Err(Error::new(Kind::ProofRefused, "read certificate").detail(detail))
        }
    }
}

fn parsed(der: &[u8]) -> Result<X509Certificate<'_>, Unusable> {
    let (rest, certificate) = x509_parser::parse_x509_certificate(der).map_err(|_| Unusable::NoCertificate)?;
    if rest.is_empty() { Ok(certificate) } else { Err(Unusable::NoCertificate) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{Health, ObservedCredential, Provenance};

    fn made() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["tu-orders".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn read(chain: &str, key: &str) -> Result<KeyPair, Unusable> {
        KeyPair::read(chain.as_bytes(), key.as_bytes(), None)
    }

    #[test]
    fn the_leaf_of_a_chain_is_the_certificate() {
        let ((leaf, key), (authority, _)) = (made(), made());
        let pair = read(&format!("# said by a tool\n{leaf}{authority}"), &key).ok().unwrap();
        assert_eq!(pair.certificate().pem(), leaf.replace("\r\n", "\n"));
        assert_ne!(pair.digest(), read(&leaf, &key).ok().unwrap().digest(), "another chain");
    }

    #[test]
    fn a_certificate_that_was_asked_for_is_missed_where_there_is_none() {
        let issued = |material: Option<&str>, fields: &[(&str, &str)]| {
            let credential = ObservedCredential {
                name: "tuo-1".into(),
                id: "b".into(),
                identity: "i".into(),
                health: Health::Usable,
                material: material.map(str::to_owned),
            };
            let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), Field::Text((*text).into()))).collect();
            Issued { credential, provenance: Provenance::default(), fields }
        };
        let secret = [("clientid", "a"), ("clientsecret", "b")];
        assert_eq!(life(&issued(Some("generated"), &secret)).unwrap_err().kind(), Kind::ProofRefused);
        assert!(life(&issued(None, &secret)).unwrap().is_none());
        let (chain, key) = made();
        let pair = read(&chain, &key).ok().unwrap();
        let whole = pair.complete(issued(Some("generated"), &[("clientid", "a")]));
        let life = life(&whole).unwrap().unwrap();
        assert_eq!((life.from, life.until), (pair.certificate().valid_from, pair.certificate().valid_until));
        assert!(whole.fields.contains_key("certificate") && whole.fields.contains_key("key"));
        assert!(!pair.complete(issued(None, &[("username", "a")])).fields.contains_key("key"), "no OAuth client");
    }

    #[test]
    fn what_cannot_be_used_says_which_part_and_shows_nothing() {
        let ((chain, key), (_, another)) = (made(), made());
        let refusal = |chain: &str, key: &str| read(chain, key).err().unwrap();
        assert_eq!(refusal("hunter2", &key), Unusable::NoCertificate);
        assert_eq!(refusal(&key, &key), Unusable::NoCertificate);
        let broken = "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n";
        assert_eq!(refusal(broken, &key), Unusable::NoCertificate);
        assert_eq!(refusal(&chain, "hunter2"), Unusable::NoKey);
        assert_eq!(refusal(&chain, &chain), Unusable::NoKey);
        assert_eq!(refusal(&chain, &another), Unusable::AnotherKey);
    }

    #[test]
    fn a_certificate_is_valid_from_its_first_moment_to_before_its_last() {
        let (chain, key) = made();
        let pair = read(&chain, &key).ok().unwrap();
        let certificate = Certificate {
            valid_from: Timestamp::from_second(10).unwrap(),
            valid_until: Timestamp::from_second(20).unwrap(),
            ..pair.certificate().clone()
        };
        let at = |second| certificate.check(Timestamp::from_second(second).unwrap());
        assert!(at(10).is_ok() && at(19).is_ok());
        assert_eq!(at(9), Err(Unusable::NotYetValid(certificate.valid_from)));
        assert_eq!(at(20), Err(Unusable::Expired(certificate.valid_until)));
    }
}
