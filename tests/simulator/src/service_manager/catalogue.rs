//! Offerings and plans that the subaccount is entitled to. Fixed; only the visibility of the `it-rt` plans changes.

use serde_json::{Value, json};

use crate::frame::Settings;
use crate::it_rt::{ProcessIntegrationRuntime, RuntimePlan};

use super::broker::Broker;
use super::managed_client::{Address, ManagedClient, SecretKind};
use super::refusal::Refusal;

/// When the catalogue was registered.
const REGISTERED: &str = "2020-08-09T11:31:20.082571Z";

/// A service offering.
pub(crate) struct Offering {
    /// Its id.
    pub(crate) id: &'static str,
    /// Its name, under which instances are ordered.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) description: &'static str,
    /// The data centre it runs in, where that matters.
    data_center: &'static str,
    /// Its plans.
    pub(crate) plans: &'static [Plan],
}

/// A plan of an offering.
pub(crate) struct Plan {
    /// Its id.
    pub(crate) id: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// Id of its offering.
    pub(crate) offering_id: &'static str,
    /// What it is.
    pub(crate) description: &'static str,
    /// Hidden until the capability of Cloud Integration is activated.
    needs_activation: bool,
    /// Who makes its instances and keys.
    pub(crate) broker: &'static dyn Broker,
}

const IT_RT: &str = "c7ae8d25-3c0e-4c28-8c0a-6a2f0ddc9d11";
const DESTINATION: &str = "1d2c0a7e-7a1c-4d6b-9f7b-5b1c6f2a4e22";
const XSUAA: &str = "7f0a3bb5-5a5c-4b46-a2f1-90b5b64f3c33";
const ALERTS: &str = "94a1f2c3-6f7d-4f0e-8a59-2f7f3a1d5b44";

const DOCUMENTS: &str = "b6a9d0e2-8b0c-4f6e-9d31-7c2e5a4f5d55";
const DATABASE_HERE: &str = "c3b1e0f4-2d5a-4a7b-8e42-1f6d9b3a6e66";
const DATABASE_THERE: &str = "c3b1e0f4-2d5a-4a7b-8e42-1f6d9b3a7f77";

/// What an offering shows that is there once: SAP's own Kubernetes operator asks for `data_center eq ''` then.
const ANYWHERE: &str = "";
/// The data centre of the subaccount.
const HERE: &str = "cf-eu12";
/// Another one, whose services the subaccount is entitled to as well.
const THERE: &str = "cf-us10";

/// A plan of the database, which is offered once in each data centre.
const fn database(id: &'static str, offering_id: &'static str) -> Plan {
    Plan {
        id,
        name: "hdi-shared",
        offering_id,
        description: "A container of a shared database",
        needs_activation: false,
        broker: &ManagedClient {
            xsappname: "hana-xsappname!b19",
            scopes: &["hana-xsappname!b19.Use"],
            secret: SecretKind::PerBinding,
            address: Address::TokenService,
        },
    }
}

/// Everything on offer.
pub(crate) static OFFERINGS: [Offering; 7] = [
    Offering {
        id: IT_RT,
        name: "it-rt",
        description: "SAP Process Integration Runtime",
        data_center: ANYWHERE,
        plans: &[
            Plan {
                id: "2d1f4f5e-8a30-4f0b-9d8a-0c1e5f0a1001",
                name: "integration-flow",
                offering_id: IT_RT,
                description: "Calls integration flows",
                needs_activation: true,
                broker: &ProcessIntegrationRuntime(RuntimePlan::IntegrationFlow),
            },
            Plan {
                id: "2d1f4f5e-8a30-4f0b-9d8a-0c1e5f0a1002",
                name: "api",
                offering_id: IT_RT,
                description: "Calls the OData APIs of the tenant",
                needs_activation: true,
                broker: &ProcessIntegrationRuntime(RuntimePlan::Api),
            },
        ],
    },
    Offering {
        id: DESTINATION,
        name: "destination",
        description: "Provides a secure and reliable access to destination configurations",
        data_center: ANYWHERE,
        plans: &[Plan {
            id: "2d1f4f5e-8a30-4f0b-9d8a-0c1e5f0a2001",
            name: "lite",
            offering_id: DESTINATION,
            description: "Reading and managing destination configurations",
            needs_activation: false,
            broker: &ManagedClient {
                xsappname: "destination-xsappname!b62",
                scopes: &["destination-xsappname!b62.Read"],
                secret: SecretKind::PerBinding,
                address: Address::TokenService,
            },
        }],
    },
    Offering {
        id: XSUAA,
        name: "xsuaa",
        description: "Manage application authorizations and trust to identity providers",
        data_center: ANYWHERE,
        plans: &[Plan {
            id: "2d1f4f5e-8a30-4f0b-9d8a-0c1e5f0a3001",
            name: "apiaccess",
            offering_id: XSUAA,
            description: "Access to the APIs of the Authorization and Trust Management service",
            needs_activation: false,
            broker: &ManagedClient {
                xsappname: "apiaccess!b549338",
                scopes: crate::xsuaa::SCOPES,
                secret: SecretKind::PerBinding,
                address: Address::TokenService,
            },
        }],
    },
    Offering {
        id: ALERTS,
        name: "alert-notification",
        description: "A service that still hands out one secret per instance",
        data_center: ANYWHERE,
        plans: &[Plan {
            id: "2d1f4f5e-8a30-4f0b-9d8a-0c1e5f0a4001",
            name: "standard",
            offering_id: ALERTS,
            description: "Every binding returns the secret of its instance",
            needs_activation: false,
            broker: &ManagedClient {
                xsappname: "alert-notification!b2177",
                scopes: &["alert-notification!b2177.produce"],
                secret: SecretKind::PerInstance,
                address: Address::TokenService,
            },
        }],
    },
    Offering {
        id: DOCUMENTS,
        name: "document-store",
        description: "A service whose keys name its own API and no token service",
        data_center: ANYWHERE,
        plans: &[Plan {
            id: "2d1f4f5e-8a30-4f0b-9d8a-0c1e5f0a5001",
            name: "standard",
            offering_id: DOCUMENTS,
            description: "Documents",
            needs_activation: false,
            broker: &ManagedClient {
                xsappname: "document-store!b37",
                scopes: &["document-store!b37.Read"],
                secret: SecretKind::PerBinding,
                address: Address::OwnApi,
            },
        }],
    },
    Offering {
        id: DATABASE_HERE,
        name: "hana",
        description: "A database, near",
        data_center: HERE,
        plans: &[database("2d1f4f5e-8a30-4f0b-9d8a-0c1e5f0a6001", DATABASE_HERE)],
    },
    Offering {
        id: DATABASE_THERE,
        name: "hana",
        description: "A database, far",
        data_center: THERE,
        plans: &[database("2d1f4f5e-8a30-4f0b-9d8a-0c1e5f0a7001", DATABASE_THERE)],
    },
];

/// Offerings that a landscape has once, as Cloud Foundry has all of its own.
pub(crate) fn offerings_here() -> impl Iterator<Item = &'static Offering> {
    OFFERINGS.iter().filter(|offering| offering.data_center == ANYWHERE)
}

/// The plans that can be seen with these settings.
pub(crate) fn visible_plans(settings: &Settings) -> impl Iterator<Item = &'static Plan> {
    let activated = settings.it_rt_activated;
    OFFERINGS.iter().flat_map(|offering| offering.plans).filter(move |plan| activated || !plan.needs_activation)
}

/// A visible plan by its id.
pub(crate) fn plan_by_id(settings: &Settings, id: &str) -> Option<&'static Plan> {
    visible_plans(settings).find(|plan| plan.id == id)
}

/// A visible plan by the names of its offering and itself; refused where there is none, or more than one.
pub(crate) fn plan_by_names(settings: &Settings, offering: &str, plan: &str) -> Result<&'static Plan, Refusal> {
    let named = OFFERINGS.iter().filter(|candidate| candidate.name == offering).map(|offering| offering.id);
    let offerings: Vec<&str> = named.collect();
    let mut found = visible_plans(settings)
        .filter(|candidate| candidate.name == plan && offerings.contains(&candidate.offering_id));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => {
            Err(Refusal::bad_request(format!("service plan {plan} not found for service offering {offering}")))
        }
        (Some(_), Some(_)) => Err(Refusal::bad_request(format!(
            "ambiguity error, found more than one resource matching the provided offering name {offering} and plan \
             name {plan}, provide the desired servicePlanID"
        ))),
    }
}

impl Offering {
    /// The offering as the API shows it.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id, "ready": true, "name": self.name, "description": self.description, "bindable": true,
            "instances_retrievable": false, "bindings_retrievable": false, "plan_updateable": false,
            "allow_context_updates": false, "tags": [], "metadata": {"displayName": self.description},
            "broker_id": "0a6b1c7e-0000-4000-8000-00000000b00c", "catalog_id": self.id, "catalog_name": self.name,
            "data_center": self.data_center, "created_at": REGISTERED, "updated_at": REGISTERED,
        })
    }

    /// A field that `fieldQuery` may ask for.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        match name {
            "id" | "catalog_id" => Some(self.id.to_owned()),
            "name" | "catalog_name" => Some(self.name.to_owned()),
            "data_center" => Some(self.data_center.to_owned()),
            "ready" | "bindable" => Some("true".to_owned()),
            _ => None,
        }
    }
}

impl Plan {
    /// The plan as the API shows it.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id, "ready": true, "name": self.name, "description": self.description,
            "catalog_id": self.id, "catalog_name": self.name, "free": true, "bindable": true,
            "metadata": {"supportedMinOSBVersion": "2.11"}, "service_offering_id": self.offering_id,
            "created_at": REGISTERED, "updated_at": REGISTERED,
        })
    }

    /// A field that `fieldQuery` may ask for.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        match name {
            "id" | "catalog_id" => Some(self.id.to_owned()),
            "name" | "catalog_name" => Some(self.name.to_owned()),
            "service_offering_id" => Some(self.offering_id.to_owned()),
            "ready" | "bindable" | "free" => Some("true".to_owned()),
            _ => None,
        }
    }
}
