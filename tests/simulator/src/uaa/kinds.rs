//! What filters of the UAA's users and groups may name.

use crate::directory::schema::{Attribute, Kind, boolean, complex, list, text};

const NAME: [Attribute; 2] = [text("familyName"), text("givenName")];
const VALUE: [Attribute; 2] = [text("value"), boolean("primary")];
const MEMBER: [Attribute; 3] = [text("value").exact(), text("type"), text("origin")];
static USER_ATTRIBUTES: [Attribute; 9] = [
    text("userName"),
    text("password").write_only(),
    complex("name", &NAME),
    list("emails", &VALUE),
    list("phoneNumbers", &VALUE),
    text("origin"),
    text("zoneId"),
    boolean("active"),
    boolean("verified"),
];
static GROUP_ATTRIBUTES: [Attribute; 3] = [text("displayName"), text("description"), list("members", &MEMBER)];

/// The UAA's schema of both (SCIM 1).
const SCHEMA: &str = "urn:scim:schemas:core:1.0";

/// A user.
pub(super) static USER: Kind =
    Kind { name: "User", endpoint: "/Users", schema: SCHEMA, attributes: &USER_ATTRIBUTES, extensions: &[] };

/// A group.
pub(super) static GROUP: Kind =
    Kind { name: "Group", endpoint: "/Groups", schema: SCHEMA, attributes: &GROUP_ATTRIBUTES, extensions: &[] };
