//! Users and groups of the Identity Directory, as its OpenAPI document has them, as far as a technical user needs them.

use serde_json::{Value, json};

use crate::directory::input::Body;
use crate::directory::schema::{Attribute, Kind, boolean, complex, integer, list, moment, reference, text};

/// The SAP extension of a user.
pub(super) const SAP: &str = "urn:ietf:params:scim:schemas:extension:sap:2.0:User";

const NAME: [Attribute; 6] = [
    text("familyName"),
    text("givenName"),
    text("formatted"),
    text("middleName"),
    text("honorificPrefix"),
    text("honorificSuffix"),
];
const PLURAL: [Attribute; 4] = [text("value"), text("type"), text("display"), boolean("primary")];
const GROUP_REFERENCE: [Attribute; 3] =
    [text("value").read_only(), text("display").read_only(), text("type").read_only()];
const PASSWORD_DETAILS: [Attribute; 6] = [
    text("status"),
    text("policy").read_only(),
    moment("setTime").read_only(),
    moment("loginTime").read_only(),
    integer("failedLoginAttempts").read_only(),
    moment("passwordLockedTime").read_only(),
];
const SAP_ATTRIBUTES: [Attribute; 18] = [
    boolean("sendMail"),
    boolean("mailVerified"),
    text("targetUrl"),
    text("applicationId"),
    text("emailTemplateSetId"),
    text("userUuid").exact(),
    text("userUuidHistory").read_only(),
    text("userId").read_only(),
    text("sapUserName"),
    text("status"),
    integer("sourceSystem"),
    text("sourceSystemId"),
    moment("loginTime").read_only(),
    moment("validFrom"),
    moment("validTo"),
    complex("passwordDetails", &PASSWORD_DETAILS),
    list("emails", &PLURAL),
    list("phoneNumbers", &PLURAL),
];
const MANAGER: [Attribute; 3] = [text("value"), reference("$ref", &[]), text("displayName").read_only()];
const ENTERPRISE: [Attribute; 6] = [
    text("employeeNumber"),
    text("costCenter"),
    text("organization"),
    text("division"),
    text("department"),
    complex("manager", &MANAGER),
];
const CUSTOM: [Attribute; 1] = [list("attributes", &[text("name"), text("value")])];
static USER_EXTENSIONS: [Attribute; 3] = [
    complex(SAP, &SAP_ATTRIBUTES),
    complex("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", &ENTERPRISE),
    complex("urn:sap:cloud:scim:schemas:extension:custom:2.0:User", &CUSTOM),
];
static USER_ATTRIBUTES: [Attribute; 16] = [
    text("userName").required(),
    complex("name", &NAME).required(),
    text("displayName"),
    text("nickName"),
    text("profileUrl"),
    text("title"),
    text("userType"),
    text("preferredLanguage"),
    text("locale"),
    text("timezone"),
    boolean("active"),
    text("password").exact().write_only(),
    list("emails", &PLURAL).required(),
    list("phoneNumbers", &PLURAL),
    list("groups", &GROUP_REFERENCE).read_only(),
    list("roles", &PLURAL),
];
const MEMBER: [Attribute; 3] = [text("value").exact(), text("type"), reference("$ref", &[])];
const GROUP_EXTENSION: [Attribute; 3] = [text("additionalId").read_only(), text("name"), text("description")];
static GROUP_EXTENSIONS: [Attribute; 1] =
    [complex("urn:sap:cloud:scim:schemas:extension:custom:2.0:Group", &GROUP_EXTENSION)];
static GROUP_ATTRIBUTES: [Attribute; 2] = [text("displayName").required(), list("members", &MEMBER)];

/// A user.
pub(super) static USER: Kind = Kind {
    name: "User",
    endpoint: "/Users",
    schema: "urn:ietf:params:scim:schemas:core:2.0:User",
    attributes: &USER_ATTRIBUTES,
    extensions: &USER_EXTENSIONS,
};

/// A group.
pub(super) static GROUP: Kind = Kind {
    name: "Group",
    endpoint: "/Groups",
    schema: "urn:ietf:params:scim:schemas:core:2.0:Group",
    attributes: &GROUP_ATTRIBUTES,
    extensions: &GROUP_EXTENSIONS,
};

/// What users can be searched by. Their `userId` is not among it.
const SEARCHABLE_USERS: [&str; 20] = [
    "id",
    "externalId",
    "userName",
    "userType",
    "emails.value",
    "phoneNumbers.value",
    "roles.value",
    "groups.display",
    "displayName",
    "meta.lastModified",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
    "urn:ietf:params:scim:schemas:extension:sap:2.0:User:userUuid",
    "urn:ietf:params:scim:schemas:extension:sap:2.0:User:userUuidHistory",
    "urn:ietf:params:scim:schemas:extension:sap:2.0:User:validFrom",
    "urn:ietf:params:scim:schemas:extension:sap:2.0:User:validTo",
];
/// What groups can be searched by.
const SEARCHABLE_GROUPS: [&str; 5] = [
    "displayName",
    "externalId",
    "meta.lastModified",
    "urn:sap:cloud:scim:schemas:extension:custom:2.0:Group:additionalId",
    "urn:sap:cloud:scim:schemas:extension:custom:2.0:Group:name",
];

/// What resources can be searched by ("Supported User Search Attributes", "Supported Group Search Attributes").
pub(super) fn searchable(kind: &Kind) -> &'static [&'static str] {
    if kind.name == USER.name { &SEARCHABLE_USERS } else { &SEARCHABLE_GROUPS }
}

/// A field of the SAP extension.
pub(super) fn sap<'a>(body: &'a Body, field: &str) -> Option<&'a Value> {
    body.get(SAP)?.get(field)
}

/// The SAP extension, to be changed.
pub(super) fn sap_mut(body: &mut Body) -> &mut Value {
    body.entry(SAP).or_insert_with(|| json!({}))
}

/// The address that tells users apart: the one marked as primary, or the first.
pub(super) fn primary_mail(body: &Body) -> Option<&str> {
    let mails = body.get("emails")?.as_array()?;
    mails.iter().find(|one| one["primary"] == true).or_else(|| mails.first())?["value"].as_str()
}
