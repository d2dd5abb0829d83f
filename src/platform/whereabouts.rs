//! What a platform *is*: the subaccount, zone or address that an admin credential leads to. Pure.
//!
//! Read from an access token's claims without verifying its signature: it came from the token service over TLS, and
//! nobody is let in by it. Nothing of a token but these claims gets out of here, neither into an error nor into a log.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::error::{Error, Kind, Result};

/// The zone that every UAA has, so that it tells none from another.
const ZONE_OF_EVERY_UAA: &str = "uaa";
/// The longest id that is believed to be one.
const LONGEST: usize = 100;

/// Between a place and a tenant beside it. None of them has a space at its end where the other could begin.
const BESIDE: &str = " with ";

/// What a platform is, as one line of text: `subaccount 1a2b…`, `zone 1a2b…`, `neo hana.ondemand.com/acme`, or the
/// address of an API that tells no more. Where it names tenants of other services, those are part of what it is:
/// `subaccount 1a2b… with identity service https://…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Whereabouts {
    place: String,
    /// The addresses of tenants, by what they are.
    beside: BTreeMap<String, String>,
}

impl Whereabouts {
    /// A platform that is known by where it is.
    pub fn at(place: impl fmt::Display) -> Self {
        Self { place: place.to_string().trim_end_matches('/').to_owned(), beside: BTreeMap::new() }
    }

    /// The same with a tenant beside it, whose last word is its address.
    #[must_use]
    pub fn beside(mut self, tenant: &Self) -> Self {
        self.beside.extend(what_and_where(&tenant.place));
        self
    }

    /// A subaccount of the multi-environment.
    pub fn subaccount(id: &str) -> Option<Self> {
        is_id(id).then(|| Self::at(format!("subaccount {id}")))
    }

    /// The one place that these lead to, or the `fallback` where none of them says anything.
    pub fn agreed(found: impl IntoIterator<Item = Self>, fallback: &Self) -> Result<Self> {
        let mut found = found.into_iter();
        let Some(first) = found.next() else { return Ok(fallback.clone()) };
        match found.find(|other| *other != first) {
            None => Ok(Self { beside: fallback.beside.clone(), ..first }),
            Some(other) => {
                let detail = format!("the admin Secrets lead to different places: {first} and {other}");
                Err(Error::new(Kind::MalformedSecret, "log on").detail(detail))
            }
        }
    }

    /// The place alone. Platforms of one place share what is there, whatever tenants they name.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What to pin of a platform that was pinned as this, or nothing if it is another. A tenant may come in later, and is
    /// kept in mind when it goes, so that another one is noticed.
    pub fn pinned(&self, before: &str) -> Option<String> {
        let mut parts = before.split(BESIDE);
        let place = parts.next().unwrap_or_default();
        let mut beside: BTreeMap<String, String> = parts.filter_map(what_and_where).collect();
        let is_same = |(what, address)| self.beside.get(what).is_none_or(|now| now == address);
        if place != self.place || !beside.iter().all(is_same) {
            return None;
        }
        beside.extend(self.beside.clone());
        Some(Self { place: place.to_owned(), beside }.to_string())
    }
}

/// What a tenant is, and its address.
fn what_and_where(tenant: &str) -> Option<(String, String)> {
    tenant.rsplit_once(' ').map(|(what, address)| (what.to_owned(), address.to_owned()))
}

impl fmt::Display for Whereabouts {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str(&self.place)?;
        self.beside.iter().try_for_each(|(what, address)| write!(text, "{BESIDE}{what} {address}"))
    }
}

#[derive(Deserialize)]
struct Claims {
    ext_attr: Option<Attributes>,
    zid: Option<String>,
}

#[derive(Deserialize)]
struct Attributes {
    subaccountid: Option<String>,
}

/// Where an access token is from, if it is a JWT (RFC 7519) that says so: by XSUAA's claim for the subaccount, or by its zone.
pub fn of_token(token: &str) -> Option<Whereabouts> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    let subaccount = claims.ext_attr.and_then(|attributes| attributes.subaccountid);
    subaccount.as_deref().and_then(Whereabouts::subaccount).or_else(|| zone(claims.zid.as_deref()?))
}

fn zone(id: &str) -> Option<Whereabouts> {
    (is_id(id) && id != ZONE_OF_EVERY_UAA).then(|| Whereabouts::at(format!("zone {id}")))
}

/// Ids are shown to people and compared, so nothing else passes for one.
fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", encode(r#"{"alg":"RS256"}"#), encode(claims), encode("signature"))
    }

    fn found(claims: &str) -> Option<String> {
        of_token(&jwt(claims)).map(|place| place.to_string())
    }

    #[test]
    fn the_subaccount_comes_before_the_zone() {
        let both = r#"{"zid":"z-1","ext_attr":{"enhancer":"XSUAA","subaccountid":"s-1"}}"#;
        assert_eq!(found(both).as_deref(), Some("subaccount s-1"));
        assert_eq!(found(r#"{"zid":"z-1","ext_attr":{"enhancer":"XSUAA"}}"#).as_deref(), Some("zone z-1"));
        assert_eq!(found(r#"{"zid":"z-1"}"#).as_deref(), Some("zone z-1"));
    }

    #[test]
    fn what_tells_no_place_is_none() {
        for claims in ["{}", "[]", "null", r#"{"zid":7}"#, r#"{"zid":""}"#, r#"{"zid":"uaa"}"#, r#"{"zid":"a b\nc"}"#] {
            assert_eq!(found(claims), None, "{claims}");
        }
        for token in ["", "opaque", "a.b", "a.!!!.c", "..", &"x".repeat(100_000)] {
            assert_eq!(of_token(token), None);
        }
        assert_eq!(found(&format!(r#"{{"zid":"{}"}}"#, "x".repeat(101))), None, "no id is that long");
    }

    #[test]
    fn tenants_may_come_and_go_and_not_be_others() {
        let named =
            ["directory https://a.example", "directory https://b.example", "cloud integration https://b.example"];
        let [tenant, other, second] = named.map(Whereabouts::at);
        let bare = Whereabouts::subaccount("s-1").unwrap();
        let with = |tenant: &Whereabouts| bare.clone().beside(tenant);
        let pinned = with(&tenant).to_string();
        assert_eq!(pinned, "subaccount s-1 with directory https://a.example");
        assert_eq!(bare.pinned("subaccount s-1").as_deref(), Some("subaccount s-1"));
        for now in [bare.clone(), with(&tenant)] {
            assert_eq!(now.pinned(&pinned).as_ref(), Some(&pinned), "{now}");
        }
        assert_eq!(with(&tenant).pinned("subaccount s-1"), Some(pinned.clone()));
        assert_eq!(with(&other).pinned(&pinned), None);
        let both = "subaccount s-1 with cloud integration https://b.example with directory https://a.example";
        assert_eq!(with(&second).pinned(&pinned).as_deref(), Some(both));
        assert_eq!(with(&tenant).pinned(both).as_deref(), Some(both));
        assert_eq!(with(&other).pinned(both), None);
        assert_eq!(bare.pinned("subaccount s-2"), None);
        assert_eq!(Whereabouts::agreed([bare.clone()], &with(&tenant)).unwrap().to_string(), pinned);
    }

    #[test]
    fn two_credentials_must_lead_to_one_place() {
        let [one, other] = ["s-1", "s-2"].map(|id| Whereabouts::subaccount(id).unwrap());
        let address = Whereabouts::at("https://api.example/");
        let agreed = |found: &[&Whereabouts]| Whereabouts::agreed(found.iter().map(|place| (*place).clone()), &address);
        assert_eq!(agreed(&[&one, &one]).unwrap(), one);
        assert_eq!(agreed(&[]).unwrap().place(), "https://api.example");
        let error = agreed(&[&one, &other]).unwrap_err();
        assert_eq!(error.kind(), Kind::MalformedSecret);
        assert!(error.to_string().contains("subaccount s-1 and subaccount s-2"), "{error}");
    }
}
