//! Keys of the Secret that are rendered from the credential's fields, in the language of Jinja. Pure.
//!
//! A template is written by whoever may write in a namespace. It gets the credential's fields and three names, of the
//! language the expressions alone, and so much work: statements and multiplication can ask for any amount of memory in a few
//! words, of which the library counts not all. What goes wrong is told in the words of the template, never in those of a
//! value.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kube::ResourceExt;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Enumerator, Object, ObjectExt, Serde, Value};
use minijinja::{AutoEscape, Environment, ErrorKind, Template, UndefinedBehavior, filters};
use secrecy::{ExposeSecret, SecretString};

use crate::api::TechnicalUser;
use crate::platform::Field;

/// One unit of work is an instruction or 64 bytes: a template makes a megabyte at most, in milliseconds.
const WORK: u64 = 20_000;
/// The most bytes of one key. A Secret holds a megabyte.
const SIZE: usize = 65_536;
/// Bytes of stack, of which only those that are used are ever there: enough for the longest text that a template can be.
const STACK: usize = 64 << 20;

/// Why a template cannot be rendered. `Display` is one clause that is safe to show to anybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not in the language.
    #[error("{0}")]
    Syntax(String),
    /// It uses a field that the credential does not have.
    #[error("it uses `{0}`, which the credential does not have")]
    Missing(String),
    /// It does what cannot be done with these values.
    #[error("{0}")]
    Rendering(String),
}

/// The names that a template may use beside the credential's fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    namespace: String,
    name: String,
    secret: String,
}

impl Names {
    /// Those of a TechnicalUser and of its Secret.
    pub fn of(user: &TechnicalUser) -> Self {
        let secret = user.spec.credential.as_ref().map(|credential| credential.secret_name.clone());
        let namespace = user.namespace().unwrap_or_default();
        Self { namespace, name: user.name_any(), secret: secret.unwrap_or_default() }
    }
}

/// Whether a template is in the language, whatever the credential will have.
pub fn check(text: &str) -> Result<(), Fault> {
    is_bounded(text)?;
    aside(|| compiled(&environment()?, text).map(drop))
}

/// Renders it.
pub fn render(text: &str, fields: &BTreeMap<String, Field>, names: &Names) -> Result<SecretString, Fault> {
    is_bounded(text)?;
    let rendered = aside(|| rendered(text, fields, names))?;
    if rendered.len() > SIZE {
        return Err(Fault::Rendering(format!("it makes more than {SIZE} bytes")));
    }
    Ok(rendered.into())
}

fn rendered(text: &str, fields: &BTreeMap<String, Field>, names: &Names) -> Result<String, Fault> {
    let environment = environment()?;
    let missed = Missed::default();
    let context = Value::from_object(root(fields, names, &missed));
    compiled(&environment, text)?.render(context).map_err(|error| fault(&error, &missed))
}

fn compiled<'env, 'source>(
    environment: &'env Environment<'source>,
    text: &'source str,
) -> Result<Template<'env, 'source>, Fault> {
    environment.template_from_str(text).map_err(|error| syntax(&error))
}

/// On a stack of its own: the library goes as deep as an expression is long.
fn aside<T: Send>(work: impl FnOnce() -> Result<T, Fault> + Send) -> Result<T, Fault> {
    let unable = || Fault::Rendering("there is no thread to render it".to_owned());
    thread::scope(|scope| {
        let spawned = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        spawned.map_err(|_| unable())?.join().unwrap_or_else(|_| Err(unable()))
    })
}

fn environment<'source>() -> Result<Environment<'source>, Fault> {
    let mut environment = Environment::empty();
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    environment.set_syntax(syntax.map_err(|error| self::syntax(&error))?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(WORK));
    environment.add_test("defined", minijinja::tests::is_defined);
    environment.add_filter("default", filters::default);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("replace", filters::replace);
    environment.add_filter("urlencode", filters::urlencode);
    environment.add_filter("tojson", filters::tojson);
    environment.add_filter("b64encode", |text: &str| BASE64_STANDARD.encode(text));
    Ok(environment)
}

/// Refuses what is not needed and cannot be bounded. The library has no switch for either, so the text is asked; all that
/// is an expression stands behind the first brackets.
fn is_bounded(text: &str) -> Result<(), Fault> {
    let behind = text.find("{{").map_or("", |at| &text[at..]);
    let said = match (text.contains("{%"), behind.contains('*')) {
        (true, _) => "there are no statements {% %}; write {{ a if b else c }}",
        (_, true) => r"there is no multiplication; write {{ '\u002a' }} for a * behind the first {{",
        _ => return Ok(()),
    };
    Err(Fault::Syntax(said.to_owned()))
}

/// Found before any value is there, so that its words are those of the template.
fn syntax(error: &minijinja::Error) -> Fault {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    Fault::Syntax(format!("{}{detail}{}", error.kind(), line(error)))
}

/// Of what happens among values only the kind is told.
fn fault(error: &minijinja::Error, missed: &Missed) -> Fault {
    match error.kind() {
        // What these name stands in the template.
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest => syntax(error),
        ErrorKind::UndefinedError => match missed.last() {
            Some(name) => Fault::Missing(name),
            None => Fault::Rendering(format!("it uses a part of a field that is not there{}", line(error))),
        },
        ErrorKind::OutOfFuel => Fault::Rendering("it is too much work".to_owned()),
        kind => Fault::Rendering(format!("{kind}{}", line(error))),
    }
}

fn line(error: &minijinja::Error) -> String {
    error.line().map(|line| format!(" (line {line})")).unwrap_or_default()
}

/// What a template sees by its name: the fields, all of them as `credential`, and the names.
fn root(fields: &BTreeMap<String, Field>, names: &Names, missed: &Missed) -> Known {
    let values: BTreeMap<String, Value> = fields.iter().map(|(name, field)| (name.clone(), value(field))).collect();
    let known = |values| Value::from_object(Known { values, missed: missed.clone() });
    let ours = [
        ("credential", known(values.clone())),
        ("technicalUser", known([("name", &names.name), ("namespace", &names.namespace)].map(named).into())),
        ("secret", known([("name", &names.secret)].map(named).into())),
    ];
    let ours = ours.map(|(name, value)| (name.to_owned(), value));
    Known { values: values.into_iter().chain(ours).collect(), missed: missed.clone() }
}

fn named((key, text): (&str, &String)) -> (String, Value) {
    (key.to_owned(), Value::from(text.as_str()))
}

fn value(field: &Field) -> Value {
    match field {
        Field::Text(text) => Value::from(text.expose_secret()),
        Field::Json(json) => {
            let parsed = serde_json::from_str::<serde_json::Value>(json.expose_secret());
            parsed.map_or_else(|_| Value::from(json.expose_secret()), |parsed| Value::from(Serde(parsed)))
        }
    }
}

/// The names that were looked for and are not there.
#[derive(Clone, Default)]
struct Missed(Arc<Mutex<Vec<String>>>);

impl Missed {
    fn note(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
    }

    fn last(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }
}

/// Named values, which remember what was looked for in vain.
struct Known {
    values: BTreeMap<String, Value>,
    missed: Missed,
}

/// The library asks for it; values are not shown.
impl fmt::Debug for Known {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("credential")
    }
}

impl Object for Known {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let found = self.values.get(name).cloned();
        if found.is_none() {
            self.missed.note(name);
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mapped_enumerator(|known| Box::new(known.values.keys().map(|name| Value::from(name.as_str()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> BTreeMap<String, Field> {
        let fields = [
            ("username", Field::Text("sb-1!b2|it".into())),
            ("password", Field::Text("a$\"=&é".into())),
            ("tls.crt", Field::Text("PEM".into())),
            ("uaa", Field::Json(r#"{"url":"https://uaa"}"#.into())),
        ];
        fields.map(|(name, field)| (name.to_owned(), field)).into()
    }

    fn rendered(text: &str) -> Result<String, Fault> {
        let names = Names { namespace: "orders".into(), name: "intake".into(), secret: "s".into() };
        render(text, &fields(), &names).map(|text| text.expose_secret().to_owned())
    }

    fn refusal(text: &str) -> String {
        rendered(text).unwrap_err().to_string()
    }

    #[test]
    fn fields_are_encoded_as_the_template_says() {
        for (text, expected) in [
            ("machine h login {{ username }}\n", "machine h login sb-1!b2|it\n"),
            ("{{ username | urlencode }}:{{ password | urlencode }}", "sb-1%21b2%7Cit:a%24%22%3D%26%C3%A9"),
            ("{{ password | tojson }}", r#""a$\"=\u0026é""#),
            ("{{ (username ~ ':') | b64encode }}", "c2ItMSFiMnxpdDo="),
            ("{{ credential['tls.crt'] }}", "PEM"),
            ("{{ uaa.url }}", "https://uaa"),
            ("{{ technicalUser.namespace }}/{{ technicalUser.name }}/{{ secret.name }}", "orders/intake/s"),
            ("{{ database | default('none') }}{{ ':' ~ port if port is defined else '' }}", "none"),
            ("* {{ username | replace('!', '\\u002a') }}", "* sb-1*b2|it"),
        ] {
            assert_eq!(rendered(text).as_deref(), Ok(expected), "{text}");
        }
        let all: serde_json::Value = serde_json::from_str(&rendered("{{ credential | tojson }}").unwrap()).unwrap();
        assert_eq!((&all["password"], &all["uaa"]["url"]), (&"a$\"=&é".into(), &"https://uaa".into()));
    }

    #[test]
    fn what_is_wrong_is_said_and_no_value_with_it() {
        assert_eq!(check("{{ username"), Err(rendered("{{ username").unwrap_err()));
        let unfinished = "syntax error: unexpected end of input, expected end of variable block (line 1)";
        assert_eq!(refusal("{{ username"), unfinished);
        assert!(refusal("{{ username | uppercase }}").starts_with("unknown filter: filter uppercase"));
        assert_eq!(refusal("{{ host }}"), "it uses `host`, which the credential does not have");
        assert_eq!(refusal("{{ credential.host }}"), "it uses `host`, which the credential does not have");
        assert_eq!(refusal("{{ uaa.host }}"), "it uses a part of a field that is not there (line 1)");
        for wrong in ["{{ password - 1 }}", "{{ password.a() }}", "{{ uaa | b64encode }}", "{{ -password }}"] {
            let said = refusal(wrong);
            assert!(!said.contains("a$") && !said.contains("https"), "{wrong}: {said}");
        }
    }

    #[test]
    fn a_template_reaches_no_other_and_costs_no_more_than_it_may() {
        for wrong in ["{% include 'x' %}", "{%- set x = 1 %}", "{{ range(9) }}", "{{ namespace() }}", "{{ [1] * 9 }}"] {
            assert!(rendered(wrong).is_err(), "{wrong}");
        }
        let chain = |times: usize, link: &str| format!("{{{{ password{} }}}}", link.repeat(times));
        let growing =
            [chain(400, " | tojson"), chain(300, " | b64encode"), chain(99, " | replace('a', 'aaaaaaaaaaaaaaaa')")];
        for bomb in growing {
            assert_eq!(refusal(&bomb), "it is too much work", "{bomb}");
        }
        let deep = ["-".repeat(4000) + "1", "(".repeat(2000), "[".repeat(2000), "not ".repeat(1000) + "1"];
        let deep = deep.map(|deep| format!("{{{{ {deep} }}}}"));
        let long = [chain(1000, "[0]"), chain(900, " ~ 1"), chain(2000, ".a"), chain(900, " in 'a'")];
        for one in long.iter().chain(&deep) {
            let begun = std::time::Instant::now();
            assert!(rendered(one).map_or(true, |text| text.len() < 1000), "{one}");
            assert!(begun.elapsed().as_secs() < 5, "{one} took {:?}", begun.elapsed());
        }
    }
}
