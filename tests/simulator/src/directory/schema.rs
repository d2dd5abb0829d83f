//! What resources of a directory consist of (RFC 7643, sections 2 and 7), as tables. Nothing is read or stored here.

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A moment.
    DateTime,
    /// A URL, or the URL of a resource.
    Reference,
    /// An object of further attributes.
    Complex,
}

/// Who may write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutability {
    /// Everybody.
    ReadWrite,
    /// The directory alone.
    ReadOnly,
    /// Everybody, once.
    Immutable,
    /// Everybody; nobody ever reads it.
    WriteOnly,
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute {
    /// Its name; of a schema extension its URN.
    pub(crate) name: &'static str,
    /// What its values are.
    pub(crate) kind: Type,
    /// Whether it has several values.
    pub(crate) many: bool,
    /// Whether a resource must have it.
    pub(crate) required: bool,
    /// Whether case counts when it is compared.
    pub(crate) exact: bool,
    /// Who may write it.
    pub(crate) mutability: Mutability,
    /// What its value is one of, or refers to.
    pub(crate) among: &'static [&'static str],
    /// Attributes of its values.
    pub(crate) sub: &'static [Attribute],
}

const fn plain(name: &'static str, kind: Type) -> Attribute {
    let mutability = Mutability::ReadWrite;
    Attribute { name, kind, many: false, required: false, exact: false, mutability, among: &[], sub: &[] }
}

/// A text.
pub(crate) const fn text(name: &'static str) -> Attribute {
    plain(name, Type::Text)
}

/// A truth.
pub(crate) const fn boolean(name: &'static str) -> Attribute {
    plain(name, Type::Boolean)
}

/// A whole number.
pub(crate) const fn integer(name: &'static str) -> Attribute {
    plain(name, Type::Integer)
}

/// A moment.
pub(crate) const fn moment(name: &'static str) -> Attribute {
    plain(name, Type::DateTime)
}

/// A URL; `to` names the resources it may lead to.
pub(crate) const fn reference(name: &'static str, to: &'static [&'static str]) -> Attribute {
    Attribute { among: to, exact: true, ..plain(name, Type::Reference) }
}

/// An object.
pub(crate) const fn complex(name: &'static str, sub: &'static [Attribute]) -> Attribute {
    Attribute { sub, ..plain(name, Type::Complex) }
}

/// A list of objects.
pub(crate) const fn list(name: &'static str, sub: &'static [Attribute]) -> Attribute {
    Attribute { many: true, ..complex(name, sub) }
}

impl Attribute {
    /// The same, and no resource is without it.
    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same, and case counts.
    pub(crate) const fn exact(self) -> Self {
        Self { exact: true, ..self }
    }

    /// The same, and its value is one of these.
    pub(crate) const fn among(self, among: &'static [&'static str]) -> Self {
        Self { among, ..self }
    }

    /// The same, written by the directory alone.
    pub(crate) const fn read_only(self) -> Self {
        Self { mutability: Mutability::ReadOnly, ..self }
    }

    /// The same, written once.
    pub(crate) const fn immutable(self) -> Self {
        Self { mutability: Mutability::Immutable, ..self }
    }

    /// The same, never to be read.
    pub(crate) const fn write_only(self) -> Self {
        Self { mutability: Mutability::WriteOnly, ..self }
    }

    /// Whether nobody ever reads it.
    pub(crate) fn is_hidden(&self) -> bool {
        self.mutability == Mutability::WriteOnly
    }
}

/// What every resource has (RFC 7643, section 3.1).
const META: [Attribute; 5] = [
    text("resourceType").read_only().exact(),
    moment("created").read_only(),
    moment("lastModified").read_only(),
    reference("location", &[]).read_only(),
    text("version").read_only().exact(),
];
static COMMON: [Attribute; 3] =
    [text("id").read_only().exact(), text("externalId").exact(), complex("meta", &META).read_only()];

/// A kind of resource.
#[derive(Debug)]
pub(crate) struct Kind {
    /// `User` or `Group`.
    pub(crate) name: &'static str,
    /// Where its resources are, below the directory's URL.
    pub(crate) endpoint: &'static str,
    /// URN of its own schema.
    pub(crate) schema: &'static str,
    /// Attributes of that schema.
    pub(crate) attributes: &'static [Attribute],
    /// Its extensions, each one attribute named by its URN.
    pub(crate) extensions: &'static [Attribute],
}

/// Finds an attribute; names have no case.
pub(crate) fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// The attributes on the way to a value: extension, attribute, attribute of its values.
pub(crate) type Steps = Vec<&'static Attribute>;

impl Kind {
    /// An attribute of the resource itself, an extension included.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        named(&COMMON, name).or_else(|| named(self.attributes, name)).or_else(|| named(self.extensions, name))
    }

    /// The way to what a path without a filter names: `name.givenName`, `urn:…:User:manager.value`.
    pub(crate) fn steps(&self, path: &str) -> Option<Steps> {
        if let Some(extension) = self.extensions.iter().find(|one| behind(path, one.name).is_some()) {
            let rest = behind(path, extension.name)?;
            let mut steps = vec![extension];
            if !rest.is_empty() {
                steps.extend(below(extension.sub, rest.strip_prefix(':')?)?);
            }
            return Some(steps);
        }
        let path = behind(path, self.schema).and_then(|rest| rest.strip_prefix(':')).unwrap_or(path);
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let mut steps = vec![self.attribute(first)?];
        if let Some(rest) = rest {
            steps.extend(below(steps[0].sub, rest)?);
        }
        Some(steps)
    }
}

/// What follows a URN, in whatever case it is written.
fn behind<'a>(path: &'a str, urn: &str) -> Option<&'a str> {
    let start = path.get(..urn.len())?;
    start.eq_ignore_ascii_case(urn).then(|| &path[urn.len()..])
}

/// The way below an attribute.
pub(crate) fn below(attributes: &'static [Attribute], path: &str) -> Option<Steps> {
    let mut steps = Steps::new();
    let mut attributes = attributes;
    for name in path.split('.') {
        let attribute = named(attributes, name)?;
        attributes = attribute.sub;
        steps.push(attribute);
    }
    Some(steps)
}
