//! Users and groups of the directory: the schemas of RFC 7643, sections 4 and 8.7, with the enterprise extension.

use crate::directory::schema::{Attribute, Kind, boolean, complex, list, reference, text};

const NAME: [Attribute; 6] = [
    text("formatted"),
    text("familyName"),
    text("givenName"),
    text("middleName"),
    text("honorificPrefix"),
    text("honorificSuffix"),
];
const PLURAL: [Attribute; 4] = [text("value"), text("display"), text("type"), boolean("primary")];
const EMAIL: [Attribute; 4] =
    [text("value"), text("display"), text("type").among(&["work", "home", "other"]), boolean("primary")];
const ADDRESS: [Attribute; 8] = [
    text("formatted"),
    text("streetAddress"),
    text("locality"),
    text("region"),
    text("postalCode"),
    text("country"),
    text("type").among(&["work", "home", "other"]),
    boolean("primary"),
];
const USER_GROUP: [Attribute; 4] = [
    text("value").read_only(),
    reference("$ref", &["Group"]).read_only(),
    text("display").read_only(),
    text("type").read_only().among(&["direct", "indirect"]),
];
const MANAGER: [Attribute; 3] = [text("value"), reference("$ref", &["User"]), text("displayName").read_only()];
const ENTERPRISE: [Attribute; 6] = [
    text("employeeNumber"),
    text("costCenter"),
    text("organization"),
    text("division"),
    text("department"),
    complex("manager", &MANAGER),
];
static USER_ATTRIBUTES: [Attribute; 19] = [
    text("userName").required(),
    complex("name", &NAME),
    text("displayName"),
    text("nickName"),
    reference("profileUrl", &[]),
    text("title"),
    text("userType"),
    text("preferredLanguage"),
    text("locale"),
    text("timezone"),
    boolean("active"),
    text("password").exact().write_only(),
    list("emails", &EMAIL),
    list("phoneNumbers", &PLURAL),
    list("addresses", &ADDRESS),
    list("groups", &USER_GROUP).read_only(),
    list("entitlements", &PLURAL),
    list("roles", &PLURAL),
    list("ims", &PLURAL),
];
static USER_EXTENSIONS: [Attribute; 1] =
    [complex("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", &ENTERPRISE)];
const MEMBER: [Attribute; 4] = [
    text("value").exact().immutable(),
    reference("$ref", &["User", "Group"]).immutable(),
    text("type").immutable().among(&["User", "Group"]),
    text("display").immutable(),
];
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
    extensions: &[],
};
