//! The certification authority of the simulated platform: server and client certificates, and reading those that
//! others made. Whom a certificate belongs to, and whether it is accepted, is not decided here.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use sha2::{Digest, Sha256};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::X509Certificate;

use crate::frame::{clock, random};

/// Signs everything the platform issues; its certificate is what a client has to trust.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// The kind of key pair to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// Elliptic curve: quick, for what exists from the start.
    Quick,
    /// RSA of 2048 bits, the platform's default.
    Rsa2048,
    /// RSA of 4096 bits.
    Rsa4096,
}

/// A generated certificate with its private key. Has no `Debug`: it holds a secret.
pub(crate) struct Issued {
    /// Certificate and chain, PEM.
    pub(crate) chain: String,
    /// Private key, PEM.
    pub(crate) key: String,
    /// What the certificate says.
    pub(crate) details: Details,
}

/// What a certificate says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Details {
    /// SHA-256 of its DER form, in hexadecimal: what pinning compares.
    pub(crate) fingerprint: String,
    /// Distinguished name of its subject.
    pub(crate) subject: String,
    /// Distinguished name of its issuer.
    pub(crate) issuer: String,
    /// `0x…`
    pub(crate) serial: String,
    /// End of its validity, since the Unix epoch.
    pub(crate) valid_until: Duration,
}

/// That of all simulators in this process.
static OF_THIS_PROCESS: OnceLock<Arc<Authority>> = OnceLock::new();

impl Authority {
    /// One for all simulators in this process: whoever trusts one trusts them all, as with the authority of a landscape.
    pub(crate) fn of_this_process() -> Result<Arc<Self>, rcgen::Error> {
        if let Some(known) = OF_THIS_PROCESS.get() {
            return Ok(Arc::clone(known));
        }
        let new = Arc::new(Self::new()?);
        Ok(Arc::clone(OF_THIS_PROCESS.get_or_init(|| new)))
    }

    /// An authority with a key of its own.
    pub(crate) fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = name("SAP Simulator Client CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// Its certificate, PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Certificate and private key of the mTLS listener at this address, both DER.
    pub(crate) fn for_listener(&self, address: IpAddr) -> Result<(Vec<u8>, Vec<u8>), rcgen::Error> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), address.to_string()])?;
        params.distinguished_name = name("localhost");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate.der().to_vec(), key.serialize_der()))
    }

    /// A client certificate, valid from `now`.
    pub(crate) fn for_client(
        &self,
        common_name: &str,
        kind: KeyKind,
        now: Duration,
        validity: Duration,
    ) -> Result<Issued, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = name(common_name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = date_time_ymd(1970, 1, 1) + now;
        params.not_after = params.not_before + validity;
        let key = generate(kind)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let details = inspect_der(certificate.der()).ok_or(rcgen::Error::CouldNotParseCertificate)?;
        Ok(Issued { chain: certificate.pem() + &self.pem, key: key.serialize_pem(), details })
    }
}

fn generate(kind: KeyKind) -> Result<KeyPair, rcgen::Error> {
    match kind {
        KeyKind::Quick => KeyPair::generate(),
        KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        KeyKind::Rsa4096 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
    }
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "DE");
    name.push(DnType::OrganizationName, "SAP SE");
    name.push(DnType::OrganizationalUnitName, "SAP Cloud Platform Clients");
    name.push(DnType::CommonName, common_name);
    name
}

/// Reads the first certificate of a PEM text; `None` if there is none.
pub(crate) fn inspect_pem(text: &str) -> Option<Details> {
    let (_, pem) = parse_x509_pem(text.as_bytes()).ok()?;
    (pem.label == "CERTIFICATE").then(|| inspect_der(&pem.contents)).flatten()
}

/// Reads a certificate in DER form.
pub(crate) fn inspect_der(der: &[u8]) -> Option<Details> {
    let (_, certificate): (_, X509Certificate<'_>) = x509_parser::parse_x509_certificate(der).ok()?;
    let valid_until = u64::try_from(certificate.validity().not_after.timestamp()).ok()?;
    Some(Details {
        fingerprint: random::hex(&Sha256::digest(der)),
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: format!("0x{}", random::hex(certificate.raw_serial())),
        valid_until: Duration::from_secs(valid_until),
    })
}

impl Details {
    /// `certificatedetails` of a service key of Cloud Integration.
    pub(crate) fn as_service_key_field(&self) -> serde_json::Value {
        serde_json::json!({
            "issuerdn": self.issuer,
            "subjectdn": self.subject,
            "serialnumber": self.serial,
            "validuntil": clock::format(self.valid_until, "%Y-%m-%dT%H:%M:%S.000Z"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_certificate_says_what_was_asked_for() {
        let authority = Authority::new().unwrap();
        let now = Duration::from_secs(1_800_000_001);
        let day = Duration::from_hours(24);
        let issued = authority.for_client("key-1", KeyKind::Quick, now, 7 * day).unwrap();
        assert_eq!(issued.details.valid_until, now + 7 * day);
        assert!(issued.details.subject.contains("CN=key-1"));
        assert_eq!(inspect_pem(&issued.chain).unwrap(), issued.details);
        assert_eq!(issued.chain.matches("BEGIN CERTIFICATE").count(), 2);
        assert!(inspect_pem(&issued.key).is_none());
    }
}
