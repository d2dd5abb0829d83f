//! Filters (RFC 7644, section 3.4.2.2): which resources, or which values of an attribute, are meant.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::schema::{Attribute, Kind, Steps, below};
use super::tokens::{Token, tokens};

/// How an attribute is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `gt`
    Greater,
    /// `ge`
    AtLeast,
    /// `lt`
    Less,
    /// `le`
    AtMost,
}

/// A condition.
#[derive(Debug)]
pub(crate) enum Filter {
    /// Any of them holds.
    Any(Vec<Filter>),
    /// Each of them holds.
    All(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// The attribute has a value.
    Present(Steps),
    /// The attribute compares with the value so.
    Compare(Steps, Operator, Value),
    /// One value of the attribute fulfils all of it.
    Within(Steps, Box<Filter>),
}

/// What names in a filter mean.
#[derive(Clone, Copy)]
pub(crate) enum Scope {
    /// Attributes of a resource.
    Resource(&'static Kind),
    /// Attributes of the values of an attribute.
    Values(&'static Attribute),
}

impl Scope {
    fn steps(self, path: &str) -> Result<Steps, Fault> {
        let steps = match self {
            Self::Resource(kind) => kind.steps(path),
            Self::Values(attribute) => below(attribute.sub, path),
        };
        let readable = steps.filter(|steps| !steps.iter().any(|step| step.is_hidden()));
        readable.ok_or_else(|| wrong(&format!("{path} cannot be filtered by")))
    }
}

fn wrong(detail: &str) -> Fault {
    Fault::bad("invalidFilter", detail)
}

impl Filter {
    /// Reads a filter.
    pub(crate) fn parse(text: &str, scope: Scope) -> Result<Self, Fault> {
        let tokens = tokens(text).ok_or_else(|| wrong("The filter cannot be read"))?;
        let mut parser = Parser { tokens: tokens.into_iter().peekable(), scope };
        let filter = parser.any()?;
        if parser.tokens.next().is_some() { Err(wrong("The filter goes on after its end")) } else { Ok(filter) }
    }

    /// How many comparisons it has.
    pub(crate) fn operands(&self) -> usize {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().map(Self::operands).sum(),
            Self::Not(part) | Self::Within(_, part) => part.operands(),
            Self::Present(_) | Self::Compare(..) => 1,
        }
    }

    /// Whether one of its comparisons is of this kind.
    pub(crate) fn uses(&self, unwanted: &[Operator]) -> bool {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().any(|part| part.uses(unwanted)),
            Self::Not(part) | Self::Within(_, part) => part.uses(unwanted),
            Self::Present(_) => false,
            Self::Compare(_, operator, _) => unwanted.contains(operator),
        }
    }

    /// Whether it compares nothing but these attributes, named as documents name them.
    pub(crate) fn is_about(&self, known: &[&str]) -> bool {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().all(|part| part.is_about(known)),
            Self::Not(part) => part.is_about(known),
            Self::Present(steps) | Self::Compare(steps, ..) | Self::Within(steps, _) => {
                known.contains(&path(steps).as_str())
            }
        }
    }

    /// Whether it holds for a resource or a value.
    pub(crate) fn holds(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(object)),
            Self::All(parts) => parts.iter().all(|part| part.holds(object)),
            Self::Not(part) => !part.holds(object),
            Self::Present(steps) => !found(object, steps).is_empty(),
            Self::Compare(steps, Operator::NotEqual, value) => {
                !found(object, steps).iter().any(|one| compares(one, Operator::Equal, value, is_exact(steps)))
            }
            Self::Compare(steps, operator, value) => {
                found(object, steps).iter().any(|one| compares(one, *operator, value, is_exact(steps)))
            }
            Self::Within(steps, part) => {
                found(object, steps).iter().filter_map(|one| one.as_object()).any(|one| part.holds(one))
            }
        }
    }
}

/// The names of a way: `emails.value`, or after the URN of an extension `urn:…:User:userId`.
fn path(steps: &Steps) -> String {
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    match names.as_slice() {
        [urn, rest @ ..] if urn.contains(':') => format!("{urn}:{}", rest.join(".")),
        names => names.join("."),
    }
}

fn is_exact(steps: &Steps) -> bool {
    steps.last().is_some_and(|last| last.exact)
}

/// All values at the end of a way, those of lists one by one.
fn found<'a>(object: &'a Map<String, Value>, steps: &[&Attribute]) -> Vec<&'a Value> {
    let Some((first, rest)) = steps.split_first() else { return Vec::new() };
    let value = object.get(first.name);
    let values =
        value.into_iter().flat_map(|value| value.as_array().map_or_else(|| vec![value], |all| all.iter().collect()));
    if rest.is_empty() {
        return values.filter(|value| !value.is_null()).collect();
    }
    values.filter_map(Value::as_object).flat_map(|object| found(object, rest)).collect()
}

/// An object among several is compared by its `value`.
fn compares(one: &Value, operator: Operator, value: &Value, exact: bool) -> bool {
    let one = one.as_object().map_or(Some(one), |object| object.get("value"));
    match (one, value) {
        (Some(Value::String(one)), Value::String(value)) if exact => texts(one, operator, value),
        (Some(Value::String(one)), Value::String(value)) => texts(&one.to_lowercase(), operator, &value.to_lowercase()),
        (Some(Value::Number(one)), Value::Number(value)) => {
            one.as_f64().zip(value.as_f64()).is_some_and(|(one, value)| ordered(one.total_cmp(&value), operator))
        }
        (Some(one), value) => operator == Operator::Equal && one == value,
        (None, _) => false,
    }
}

fn texts(one: &str, operator: Operator, value: &str) -> bool {
    match operator {
        Operator::Contains => one.contains(value),
        Operator::StartsWith => one.starts_with(value),
        Operator::EndsWith => one.ends_with(value),
        _ => ordered(one.cmp(value), operator),
    }
}

fn ordered(order: std::cmp::Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Greater => order.is_gt(),
        Operator::AtLeast => order.is_ge(),
        Operator::Less => order.is_lt(),
        Operator::AtMost => order.is_le(),
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => false,
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    scope: Scope,
}

impl Parser {
    fn any(&mut self) -> Result<Filter, Fault> {
        let mut parts = vec![self.all()?];
        while self.takes("or") {
            parts.push(self.all()?);
        }
        Ok(single(parts, Filter::Any))
    }

    fn all(&mut self) -> Result<Filter, Fault> {
        let mut parts = vec![self.part()?];
        while self.takes("and") {
            parts.push(self.part()?);
        }
        Ok(single(parts, Filter::All))
    }

    fn part(&mut self) -> Result<Filter, Fault> {
        match self.tokens.next() {
            Some(Token::Open) => self.until(&Token::Close),
            Some(Token::Word(word))
                if word.eq_ignore_ascii_case("not") && self.tokens.next_if_eq(&Token::Open).is_some() =>
            {
                Ok(Filter::Not(Box::new(self.until(&Token::Close)?)))
            }
            Some(Token::Word(path)) => self.condition(&path),
            _ => Err(wrong("The filter lacks a condition")),
        }
    }

    fn until(&mut self, end: &Token) -> Result<Filter, Fault> {
        let filter = self.any()?;
        self.tokens.next_if_eq(end).map(|_| filter).ok_or_else(|| wrong("A bracket is not closed"))
    }

    fn condition(&mut self, path: &str) -> Result<Filter, Fault> {
        let steps = self.scope.steps(path)?;
        if self.tokens.next_if_eq(&Token::OpenValues).is_some() {
            let attribute = steps.last().copied().ok_or_else(|| wrong("The filter lacks an attribute"))?;
            let outer = std::mem::replace(&mut self.scope, Scope::Values(attribute));
            let within = self.until(&Token::CloseValues);
            self.scope = outer;
            return Ok(Filter::Within(steps, Box::new(within?)));
        }
        let Some(Token::Word(operator)) = self.tokens.next() else { return Err(wrong("The filter lacks an operator")) };
        if operator.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(steps));
        }
        let operator =
            operator_named(&operator).ok_or_else(|| wrong(&format!("The operator {operator} is not known")))?;
        match self.tokens.next() {
            Some(Token::Literal(value)) => Ok(Filter::Compare(steps, operator, value)),
            _ => Err(wrong("The filter lacks a value")),
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(found) if found.eq_ignore_ascii_case(word))).is_some()
    }
}

fn single(mut parts: Vec<Filter>, several: fn(Vec<Filter>) -> Filter) -> Filter {
    if parts.len() > 1 {
        return several(parts);
    }
    parts.pop().unwrap_or_else(|| several(Vec::new()))
}

fn operator_named(name: &str) -> Option<Operator> {
    Some(match name.to_ascii_lowercase().as_str() {
        "eq" => Operator::Equal,
        "ne" => Operator::NotEqual,
        "co" => Operator::Contains,
        "sw" => Operator::StartsWith,
        "ew" => Operator::EndsWith,
        "gt" => Operator::Greater,
        "ge" => Operator::AtLeast,
        "lt" => Operator::Less,
        "le" => Operator::AtMost,
        _ => return None,
    })
}
