//! A stored client: what it may hold, how an update changes it, how it is shown. It knows no HTTP.

use serde_json::{Map, Value, json};

use super::input::{ClientInput, Words};
use super::refusal::{Refusal, invalid_client};

/// Stands in every empty list of authorities and scopes, and comes back in tokens.
pub(super) const NONE: &str = "uaa.none";

/// Lifetime of a token unless the client says otherwise: half a day.
const DEFAULT_VALIDITY: u64 = 43_200;

/// Width of the database column that holds all additional fields together.
const ADDITIONAL_BYTES: usize = 4096;

/// Length of a client id's column, and the longest secret of the default policy.
const LONGEST: usize = 255;

const GRANT_TYPES: [&str; 8] = [
    "implicit",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
    "password",
    "client_credentials",
    "authorization_code",
    "user_token",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
];

/// An OAuth client.
#[derive(Clone)]
pub(super) struct Client {
    /// Its id, as spelt when it was made.
    pub(super) id: String,
    /// One secret or two, the older first.
    pub(super) secrets: Vec<String>,
    /// What it may ask tokens with.
    pub(super) grant_types: Words,
    /// What its own tokens open.
    pub(super) authorities: Words,
    scope: Words,
    redirect_uri: Words,
    access_token_validity: Option<u64>,
    additional: Map<String, Value>,
    last_modified: u128,
}

impl Client {
    /// A client for the client credentials grant.
    pub(super) fn for_credentials(id: &str, secret: String, authorities: &[&str], now: u128) -> Self {
        Self {
            id: id.to_owned(),
            secrets: vec![secret],
            grant_types: one("client_credentials"),
            authorities: authorities.iter().copied().map(str::to_owned).collect(),
            scope: one(NONE),
            redirect_uri: Words::new(),
            access_token_validity: None,
            additional: Map::new(),
            last_modified: now,
        }
    }

    /// A new client as the request describes it.
    pub(super) fn created(input: &ClientInput, now: u128) -> Result<Self, Refusal> {
        let id = input.client_id.clone().ok_or(Refusal::ServerError)?;
        let mut client = Self::for_credentials(&id, String::new(), &[], now);
        client.grant_types = Words::new();
        client.take_over(input)?;
        client.secrets = vec![client.first_secret(input)?];
        Ok(client)
    }

    /// The client after an update: what the request leaves out stays, and so does an **empty** list; only
    /// `uaa.none` takes the last authority away. A secret in the request has no effect.
    pub(super) fn updated(&self, input: &ClientInput, now: u128) -> Result<Self, Refusal> {
        let mut client = self.clone();
        client.take_over(input)?;
        client.last_modified = now;
        Ok(client)
    }

    fn take_over(&mut self, input: &ClientInput) -> Result<(), Refusal> {
        replace(&mut self.grant_types, input.authorized_grant_types.as_ref());
        replace(&mut self.authorities, input.authorities.as_ref());
        replace(&mut self.scope, input.scope.as_ref());
        replace(&mut self.redirect_uri, input.redirect_uri.as_ref());
        self.access_token_validity = input.access_token_validity.or(self.access_token_validity);
        self.additional.extend(input.own_additional());
        if self.authorities.is_empty() {
            self.authorities = one(NONE);
        }
        self.check_grant_types()?;
        self.check_size()
    }

    fn check_grant_types(&mut self) -> Result<(), Refusal> {
        let choice = format!("Must be one of: [{}]", GRANT_TYPES.join(", "));
        if self.grant_types.is_empty() {
            return Err(invalid_client(format!("An authorized grant type must be provided. {choice}")));
        }
        if let Some(unknown) = self.grant_types.iter().find(|grant| !GRANT_TYPES.contains(&grant.as_str())) {
            return Err(invalid_client(format!("{unknown} is not an allowed grant type. {choice}")));
        }
        if self.may("authorization_code") && self.redirect_uri.is_empty() {
            return Err(invalid_client("authorization_code grant type requires at least one redirect URL."));
        }
        if self.may("authorization_code") || self.may("password") {
            self.grant_types.insert("refresh_token".to_owned());
        }
        Ok(())
    }

    /// What does not fit into its column breaks the request, without a word.
    fn check_size(&self) -> Result<(), Refusal> {
        let additional = Value::Object(self.additional.clone()).to_string();
        let fits = additional.len() <= ADDITIONAL_BYTES && self.id.len() <= LONGEST;
        if fits { Ok(()) } else { Err(Refusal::ServerError) }
    }

    fn first_secret(&self, input: &ClientInput) -> Result<String, Refusal> {
        let secret = input.client_secret.clone().unwrap_or_default();
        if secret.is_empty() && (self.may("client_credentials") || self.may("authorization_code")) {
            let text = "Client secret is required for client_credentials and authorization_code grant types";
            return Err(invalid_client(text));
        }
        allowed_length(&secret)?;
        Ok(secret)
    }

    /// Whether it may ask tokens this way.
    pub(super) fn may(&self, grant_type: &str) -> bool {
        self.grant_types.contains(grant_type)
    }

    /// Seconds its tokens live.
    pub(super) fn validity(&self) -> u64 {
        self.access_token_validity.unwrap_or(DEFAULT_VALIDITY)
    }

    /// When it was last changed, in milliseconds.
    pub(super) fn last_modified(&self) -> u128 {
        self.last_modified
    }

    /// The client as lists show it; never its secrets. Answers about one client show a little more.
    pub(super) fn to_json(&self) -> Value {
        let mut shown = self.additional.clone();
        shown.insert("client_id".into(), json!(self.id));
        shown.insert("authorized_grant_types".into(), json!(self.grant_types));
        shown.insert("authorities".into(), json!(self.authorities));
        shown.insert("scope".into(), json!(self.scope));
        shown.insert("resource_ids".into(), json!(["none"]));
        shown.insert("autoapprove".into(), json!([]));
        shown.insert("lastModified".into(), json!(u64::try_from(self.last_modified).unwrap_or(u64::MAX)));
        if !self.redirect_uri.is_empty() {
            shown.insert("redirect_uri".into(), json!(self.redirect_uri));
        }
        if let Some(validity) = self.access_token_validity {
            shown.insert("access_token_validity".into(), json!(validity));
        }
        Value::Object(shown)
    }

    /// The client as an answer about this one client shows it.
    pub(super) fn to_json_with_groups(&self) -> Value {
        let mut shown = self.to_json();
        shown["required_user_groups"] = json!([]);
        shown
    }
}

/// Refuses a secret that the default policy does not allow.
pub(super) fn allowed_length(secret: &str) -> Result<(), Refusal> {
    if secret.len() > LONGEST {
        let text = format!("Client Secret must be no more than {LONGEST} characters in length.");
        return Err(invalid_client(text));
    }
    Ok(())
}

fn one(word: &str) -> Words {
    Words::from([word.to_owned()])
}

fn replace(old: &mut Words, new: Option<&Words>) {
    if let Some(new) = new.filter(|new| !new.is_empty()) {
        old.clone_from(new);
    }
}
