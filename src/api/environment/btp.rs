//! A subaccount of the multi-environment.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Connection, IdentityService};
use crate::api::SecretRef;

/// A subaccount of the multi-environment. Name the APIs that the operator may use; at least one.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.authorization) || has(self.serviceManager) || has(self.identityService)").message("name authorization, serviceManager, identityService or several"))]
#[x_kube(validation = Rule::new("!has(self.identityService) || has(self.identityService.origin)").message("identityService needs its origin: the origin key of the subaccount's trust to the tenant"))]
pub struct Btp {
    /// The Authorization and Trust Management API (XSUAA): role collections. Its Secret is a service key of `xsuaa`,
    /// plan `apiaccess`, or an API credential made with `btp create security/api-credential`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<ApiAccess>,
    /// The Service Manager: service keys. Its Secret is a binding of `service-manager`, plan `subaccount-admin` or `container`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_manager: Option<ApiAccess>,
    /// Cloud Identity Services: technical users with passwords (`directoryUser`), and groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_service: Option<IdentityService>,
}

/// One API of the platform and the credential for it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApiAccess {
    /// The Secret that holds what the platform handed out, unchanged: its keys flat, or the whole service key as one
    /// JSON value. Client secret and client certificate both work.
    pub credentials_secret_ref: SecretRef,
}

impl Connection for Btp {
    fn name(&self) -> &'static str {
        "btp"
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        let named = [&self.authorization, &self.service_manager].into_iter().flatten();
        let tenant = self.identity_service.iter().map(|tenant| &tenant.credentials_secret_ref);
        named.map(|access| &access.credentials_secret_ref).chain(tenant).collect()
    }

    fn has(&self, api: &str) -> bool {
        match api {
            "authorization" => self.authorization.is_some(),
            "serviceManager" => self.service_manager.is_some(),
            "identityService" => self.identity_service.is_some(),
            _ => false,
        }
    }
}
