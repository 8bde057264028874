//! Fields of JSON objects, read as leniently and as strictly as CNI's reference implementation does: null is as good as
//! nothing, a wrong type is an error, names match in any case.

use serde_json::{Map, Value};

/// Why a document is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Malformed {
    /// Where, as in `ips[0].address`; `document` for the whole.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

impl Malformed {
    pub(crate) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }
}

pub(crate) fn parse(text: &str) -> Result<Value, Malformed> {
    serde_json::from_str(text).map_err(|error| Malformed::new("document", error.to_string()))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// An object, and where it is.
pub(crate) struct Fields<'a> {
    map: Option<&'a Map<String, Value>>,
    path: String,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value, path: impl Into<String>) -> Result<Self, Malformed> {
        let path = path.into();
        match value {
            Value::Object(map) => Ok(Self { map: Some(map), path }),
            Value::Null => Ok(Self { map: None, path }),
            other => {
                let path = if path.is_empty() { "document".to_owned() } else { path };
                Err(Malformed::new(path, format!("{} instead of an object", kind(other))))
            }
        }
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value, whatever it is; none for null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.any(key).filter(|value| !value.is_null())
    }

    /// The value, even null.
    pub(crate) fn any(&self, key: &str) -> Option<&'a Value> {
        let map = self.map?;
        map.get(key)
            .or_else(|| map.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value))
    }

    pub(crate) fn wrong(&self, key: &str, value: &Value, wanted: &str) -> Malformed {
        Malformed::new(self.at(key), format!("{} instead of {wanted}", kind(value)))
    }

    pub(crate) fn refuse(&self, key: &str, problem: impl Into<String>) -> Malformed {
        Malformed::new(self.at(key), problem)
    }

    pub(crate) fn text(&self, key: &str) -> Result<String, Malformed> {
        match self.get(key) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(self.wrong(key, other, "text")),
        }
    }

    pub(crate) fn number<N: TryFrom<i64>>(&self, key: &str) -> Result<Option<N>, Malformed> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = value.as_i64().ok_or_else(|| self.wrong(key, value, "an integer"))?;
        N::try_from(number).map(Some).map_err(|_| self.refuse(key, format!("{number} is out of range")))
    }

    pub(crate) fn object(&self, key: &str) -> Result<Fields<'a>, Malformed> {
        Fields::of(self.get(key).unwrap_or(&Value::Null), self.at(key))
    }

    pub(crate) fn list<T>(
        &self,
        key: &str,
        read: impl Fn(&'a Value, &str) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => list
                .iter()
                .enumerate()
                .map(|(i, value)| read(value, &format!("{}[{i}]", self.at(key))))
                .collect(),
            Some(other) => Err(self.wrong(key, other, "a list")),
        }
    }

    pub(crate) fn texts(&self, key: &str) -> Result<Vec<String>, Malformed> {
        self.list(key, |value, path| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Null => Ok(String::new()),
            other => Err(Malformed::new(path, format!("{} instead of text", kind(other)))),
        })
    }

    pub(crate) fn flags(&self, key: &str) -> Result<Vec<(String, bool)>, Malformed> {
        let object = self.object(key)?;
        let entries = object.map.into_iter().flatten();
        entries
            .map(|(name, value)| match value {
                Value::Bool(on) => Ok((name.clone(), *on)),
                Value::Null => Ok((name.clone(), false)),
                other => Err(object.wrong(name, other, "a boolean")),
            })
            .collect()
    }
}

/// Puts a value into an object unless it is empty.
pub(crate) trait Put {
    fn put(&mut self, key: &str, value: impl Into<Value>);
    fn put_text(&mut self, key: &str, text: &str);
    fn put_list(&mut self, key: &str, list: Vec<Value>);
}

impl Put for Map<String, Value> {
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.insert(key.to_owned(), value.into());
    }

    fn put_text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.put(key, text);
        }
    }

    fn put_list(&mut self, key: &str, list: Vec<Value>) {
        if !list.is_empty() {
            self.put(key, list);
        }
    }
}
