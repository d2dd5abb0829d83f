//! `/sap/rest/authorization/v2/identity-providers/{origin}/attributes`: role collections through groups and other
//! attributes of an identity provider, and the list of providers.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::frame::{IdpDisplayName, answer};

use super::Xsuaa;
use super::permitted::{May, ReadAuthorizations, ReadProviders, WriteAuthorizations};
use super::refusal::{self, Refusal};
use super::store::{IDENTITY_PROVIDERS, IdentityProvider, Mapping, identity_provider};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SentMapping {
    role_collection_name: String,
    attribute_name: String,
    attribute_value: String,
    #[serde(default = "equals")]
    operator: String,
}

fn equals() -> String {
    "equals".to_owned()
}

impl Xsuaa {
    /// Real tenants have shown the origin key, and later the host: no client may take it for a key.
    fn display_name(&self, provider: &IdentityProvider) -> &'static str {
        match self.subaccount.frame.settings.current().idp_display_name {
            IdpDisplayName::Origin => provider.origin,
            IdpDisplayName::Host => provider.host,
        }
    }

    /// `RoleCollectionAttribute`: name and value each in two spellings.
    pub(crate) fn mapping_shown(&self, collection: &str, mapping: &Mapping) -> Value {
        let mut shown = self.common(collection, mapping);
        shown["attributeName"] = json!(mapping.attribute);
        shown["samlAttributeValue"] = json!(mapping.value);
        shown["attributeValue"] = json!(mapping.value);
        if let Some(provider) = identity_provider(mapping.origin) {
            shown["idpDisplayName"] = json!(self.display_name(provider));
        }
        shown
    }

    /// The mappings of one identity provider that the caller wants.
    fn mappings_of(&self, origin: &str, wanted: impl Fn(&str, &Mapping) -> bool) -> Result<Response, Refusal> {
        let origin = identity_provider(origin).ok_or_else(|| Refusal::no_origin_to_assign(origin))?.origin;
        let listed: Vec<Value> = self.store.read(|store| {
            let all = store
                .collections
                .iter()
                .flat_map(|(name, collection)| collection.mappings.iter().map(move |mapping| (name.as_str(), mapping)));
            let here = all.filter(|(name, mapping)| mapping.origin == origin && wanted(name, mapping));
            here.map(|(name, mapping)| self.mapping_shown(name, mapping)).collect()
        });
        Ok(answer::json(StatusCode::OK, json!(listed)))
    }
}

impl Xsuaa {
    fn common(&self, collection: &str, mapping: &Mapping) -> Value {
        let host = identity_provider(mapping.origin).map_or("", |provider| provider.host);
        json!({
            "roleCollectionName": collection, "roleCollectionIdentityZone": self.subaccount.place.zone,
            "samlAttrName": mapping.attribute, "comparisonOperator": mapping.operator,
            "samlEntityId": format!("https://{host}"),
        })
    }

    /// The answer to a removal spells the value in a third way.
    fn removed(&self, collection: &str, mapping: &Mapping) -> Value {
        let mut shown = self.common(collection, mapping);
        shown["samlAttrValue"] = json!(mapping.value);
        shown
    }
}

/// Most mappings of a subaccount (SAP Help Portal, "Limits for Technical Artifacts").
const MOST_MAPPINGS: usize = 5000;

/// `POST …/{origin}/attributes`: 201, also for a mapping that exists.
pub(crate) async fn add(
    May { xsuaa, .. }: May<WriteAuthorizations>,
    Path(origin): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let sent: SentMapping = refusal::body(&headers, &body)?;
    let origin = identity_provider(&origin).ok_or_else(|| Refusal::no_origin_to_assign(&origin))?.origin;
    if sent.operator != equals() {
        return Err(Refusal::bad_request(format!("Operator {} is not supported.", sent.operator)));
    }
    let SentMapping { role_collection_name: name, attribute_name: attribute, attribute_value: value, operator } = sent;
    let mapping = Mapping { origin, attribute, operator, value };
    xsuaa.store.write(|store| {
        let all: usize = store.collections.values().map(|collection| collection.mappings.len()).sum();
        let collection = store.collections.get_mut(&name).ok_or_else(|| xsuaa.no_collection(&name))?;
        if collection.mappings.contains(&mapping) {
            return Ok(());
        }
        if all >= MOST_MAPPINGS {
            let text = "The maximum number of attribute mappings is reached.";
            return Err(Refusal::Plain(StatusCode::UNPROCESSABLE_ENTITY, text.to_owned()));
        }
        collection.mappings.push(mapping.clone());
        Ok(())
    })?;
    Ok(answer::json(StatusCode::CREATED, xsuaa.mapping_shown(&name, &mapping)))
}

/// `DELETE …/{origin}/attributes/{attribute}/{operator}/{value}/rolecollections/{collection}`
pub(crate) async fn remove(
    May { xsuaa, .. }: May<WriteAuthorizations>,
    Path((origin, attribute, operator, value, name)): Path<(String, String, String, String, String)>,
) -> Result<Response, Refusal> {
    let provider = identity_provider(&origin).ok_or_else(|| Refusal::bad_request("IDP does not exist"))?;
    let mapping = Mapping { origin: provider.origin, attribute, operator, value };
    xsuaa.store.write(|store| {
        let collection = store.collections.get_mut(&name);
        let collection = collection.ok_or_else(|| Refusal::bad_request("Role collection does not exist"))?;
        collection.mappings.retain(|held| *held != mapping);
        Ok(answer::json(StatusCode::OK, xsuaa.removed(&name, &mapping)))
    })
}

/// `GET …/{origin}/attributes/rolecollections`
pub(crate) async fn of_origin(
    May { xsuaa, .. }: May<ReadAuthorizations>,
    Path(origin): Path<String>,
) -> Result<Response, Refusal> {
    xsuaa.mappings_of(&origin, |_, _| true)
}

/// `GET …/{origin}/attributes/{attribute}/rolecollections/{collection}`
pub(crate) async fn of_attribute(
    May { xsuaa, .. }: May<ReadAuthorizations>,
    Path((origin, attribute, name)): Path<(String, String, String)>,
) -> Result<Response, Refusal> {
    xsuaa.mappings_of(&origin, |of, mapping| of == name && mapping.attribute == attribute)
}

/// `GET …/{origin}/rolecollections/{collection}`
pub(crate) async fn of_collection(
    May { xsuaa, .. }: May<ReadAuthorizations>,
    Path((origin, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    xsuaa.mappings_of(&origin, |of, _| of == name)
}

/// `GET /sap/rest/identity-providers`
pub(crate) async fn providers(May { xsuaa, .. }: May<ReadProviders>) -> Result<Response, Refusal> {
    let shown = IDENTITY_PROVIDERS.iter().map(|provider| {
        json!({"id": provider.origin, "originKey": provider.origin, "name": xsuaa.display_name(provider),
               "type": provider.kind, "active": true, "identityZoneId": xsuaa.subaccount.place.zone})
    });
    Ok(answer::json(StatusCode::OK, shown.collect()))
}
