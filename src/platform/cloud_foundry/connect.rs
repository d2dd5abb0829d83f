//! The way to a Cloud Foundry: as a technical user, whose password the UAA takes from the client `cf`, or as a client.

use std::sync::Arc;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::CloudFoundry;
use super::dialect::DIALECT;
use crate::api::environment::CloudFoundry as Environment;
use crate::api::{IdentityKind, RoleKind};
use crate::plan::environment::cloud_foundry::TABLE;
use crate::platform::budget::{Limit, Limits, Pace};
use crate::platform::connect::{Api, Connecting, Connects, at, in_spec};
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::address;
use crate::platform::token::{Client, ClientProof};
use crate::platform::whereabouts::Whereabouts;
use crate::platform::{AdminSecret, Driver, Grants, Landing, Maker};

/// The limit is the landscape's to choose, by the hour and user; 20,000 is usual. It is kept to once it was met.
const API: Api = Api {
    name: "cloud-foundry",
    limits: Limits::one(Limit::OnceShown(Pace { per_second: 5.0, burst: 100.0 })),
    dialect: &DIALECT,
    probe: None,
};

/// The client of the command line, which has no secret.
const COMMAND_LINE: &str = "cf";
/// How the hosts of the API and of the UAA beside it begin (SAP BTP documentation, "Regions and API Endpoints").
const OF_API: &str = "api.";
const OF_UAA: &str = "uaa.";

impl Connects for Environment {
    fn connect(&self, with: &Connecting<'_>) -> Result<Driver> {
        let secret = with.secret(&self.credentials_secret_ref)?;
        let base = address::base(&self.api_url, "apiUrl").map_err(|error| in_spec(&error))?;
        let token_url = token_url(secret, &base)?;
        let account = with.account(client(secret, token_url.clone())?)?;
        let session = at(&base, &account, &API);
        let driver = Arc::new(CloudFoundry::new(session.clone(), with.prover(token_url)?));
        let maker = Maker::of(Arc::clone(&driver), TABLE.recall(IdentityKind::ServiceKey));
        let grants: Arc<dyn Grants> = driver;
        Ok(Driver {
            makers: [(IdentityKind::ServiceKey, maker)].into(),
            grants: [RoleKind::OrganizationRole, RoleKind::SpaceRole].map(|kind| (kind, Arc::clone(&grants))).into(),
            sessions: vec![session],
            landing: Landing::Address(Whereabouts::at(format!("cloudFoundry {base}"))),
        })
    }
}

/// Who logs on: a user where there is a user's name, else a client for itself.
fn client(secret: &AdminSecret, token_url: Url) -> Result<Client> {
    let text = |key| secret.text(key).map(|text| text.expose_secret().to_owned());
    if !secret.has("username") {
        return Ok(Client::new(token_url, text("clientid")?, ClientProof::Body(secret.text("clientsecret")?.clone())));
    }
    let id = if secret.has("clientid") { text("clientid")? } else { COMMAND_LINE.to_owned() };
    let proof = if secret.has("clientsecret") { secret.text("clientsecret")?.clone() } else { SecretString::from("") };
    let origin = if secret.has("origin") { Some(text("origin")?) } else { None };
    let client = Client::new(token_url, id, ClientProof::Basic(proof));
    Ok(client.on_behalf_of(text("username")?, secret.text("password")?.clone(), origin))
}

/// Where tokens are: the endpoint that the Secret names, else the UAA that it names, else the UAA beside the API.
fn token_url(secret: &AdminSecret, base: &Url) -> Result<Url> {
    if let Some(key) = ["tokenurl", "uaaurl"].into_iter().find(|key| secret.has(key)) {
        return secret.token_url(key);
    }
    let beside = base.host_str().and_then(|host| host.strip_prefix(OF_API)).map(|rest| format!("{OF_UAA}{rest}"));
    let missing = || {
        let detail = "no key `uaaurl`, which is needed where the host of apiUrl does not begin with `api.`; \
                      `GET <apiUrl>/` shows it under links.uaa";
        Error::new(Kind::MalformedSecret, "connect").detail(detail)
    };
    let mut uaa = base.clone();
    uaa.set_host(Some(&beside.ok_or_else(missing)?)).map_err(|_| missing())?;
    uaa.set_path("");
    address::below(&uaa, &["oauth", "token"], "connect")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn secret(more: &[(&str, &str)]) -> AdminSecret {
        let entries: BTreeMap<String, Vec<u8>> =
            more.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect();
        AdminSecret::parse(&entries).unwrap()
    }

    fn tokens_at(api: &str, more: &[(&str, &str)]) -> Result<String> {
        let user = [("username", "u"), ("password", "p")];
        let base = Url::parse(api).unwrap();
        token_url(&secret(&[&user, more].concat()), &base).map(|url| url.to_string())
    }

    #[test]
    fn the_uaa_is_beside_the_api_unless_the_secret_says_where() {
        let api = "https://api.cf.eu10-004.hana.ondemand.com";
        assert_eq!(tokens_at(api, &[]).unwrap(), "https://uaa.cf.eu10-004.hana.ondemand.com/oauth/token");
        let named = [("uaaurl", "https://uaa.example/x")];
        assert_eq!(tokens_at(api, &named).unwrap(), "https://uaa.example/x/oauth/token");
        let named = [("tokenurl", "https://login.example/oauth/token"), named[0]];
        assert_eq!(tokens_at(api, &named).unwrap(), "https://login.example/oauth/token");
        let error = tokens_at("https://cloud.example/cf", &[]).unwrap_err();
        assert!(error.to_string().contains("`uaaurl`"), "{error}");
    }

    #[test]
    fn a_user_logs_on_with_the_client_of_the_command_line_and_a_client_with_its_secret() {
        let url = || Url::parse("https://uaa.example/oauth/token").unwrap();
        let user = client(&secret(&[("username", "u"), ("password", "p"), ("origin", "o")]), url()).unwrap();
        assert!(user.id == "cf" && matches!(user.proof, ClientProof::Basic(none) if none.expose_secret().is_empty()));
        let itself = client(&secret(&[("clientid", "c"), ("clientsecret", "s")]), url()).unwrap();
        assert!(itself.id == "c" && matches!(itself.proof, ClientProof::Body(_)));
        let error = client(&secret(&[("username", "u")]), url()).err().unwrap();
        assert!(error.to_string().contains("no key `password`"), "{error}");
    }
}
