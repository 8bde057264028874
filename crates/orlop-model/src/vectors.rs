//! Runner of the `vectors` test targets: cases with the answers that Kubernetes' own code gave.
//!
//! A family of cases is a file `FAMILY.jsonl.gz` or `FAMILY.jsonl`, one JSON object per line with an
//! `id`. A crate keeps its families in `tests/vectors/`; the environment variable `ORLOP_VECTORS`
//! names a folder that is read instead. The test target has no harness of its own:
//!
//! ```toml
//! [[test]]
//! name = "vectors"
//! path = "tests/vectors/main.rs"
//! harness = false
//! ```
//!
//! ```no_run
//! use std::process::ExitCode;
//! use orlop_model::vectors::{self, Case, Check, Family};
//!
//! fn sums(case: &Case) -> Result<(), String> {
//!     let input = &case.value["in"];
//!     let sum = input["a"].as_i64().unwrap_or_default() + input["b"].as_i64().unwrap_or_default();
//!     let mut check = Check::new();
//!     check.eq("sum", &case.value["out"].as_i64(), &Some(sum));
//!     check.finish()
//! }
//!
//! fn main() -> ExitCode {
//!     vectors::run(
//!         concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"),
//!         &[Family::new("sums", sums)],
//!     )
//! }
//! ```
//!
//! It prints `family: N passed, N failed` for each family, each miss with id, operation and what
//! differs, and fails at the end if any case failed. Families may be named as arguments
//! (`cargo test --test vectors -- quantity`); cases are chosen by `ORLOP_CASE`, a part of their id.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::{Debug, Write as _};
use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use serde_json::Value;

use crate::Quantity;

/// One case of a family.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub id: String,
    /// Its operation (`op` or `fn`), empty where the family has only one.
    pub op: String,
    /// The line as it stands in the file.
    pub line: String,
    /// The line read as JSON; `null` in families made by [`Family::raw`] where it does not fit
    /// into [`Value`].
    pub value: Value,
}

impl Case {
    /// The part `name` of the case, decoded.
    ///
    /// # Errors
    /// A text if it is of another type; an absent part is decoded like `null`.
    pub fn get<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        T::deserialize(&self.value[name]).map_err(|error| format!("{name} of the case: {error}"))
    }

    /// The text `name` of the case; empty where it is absent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.value[name].as_str().unwrap_or_default()
    }
}

/// What runs one case: `Err` says what differs.
pub type Run = fn(&Case) -> Result<(), String>;

/// A family of cases and what runs one of them.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    name: &'static str,
    run: Run,
    raw: bool,
    elsewhere: &'static [&'static str],
}

impl Family {
    /// A family by the name of its file.
    #[must_use]
    pub const fn new(name: &'static str, run: Run) -> Self {
        Self { name, run, raw: false, elsewhere: &[] }
    }

    /// A family whose lines may hold numbers beyond 64 bits, which [`Value`] cannot: the function
    /// reads [`Case::line`] itself.
    #[must_use]
    pub const fn raw(name: &'static str, run: Run) -> Self {
        Self { name, run, raw: true, elsewhere: &[] }
    }

    /// The family without the cases of these operations, which another crate runs: they are not counted.
    #[must_use]
    pub const fn without(self, operations: &'static [&'static str]) -> Self {
        Self { elsewhere: operations, ..self }
    }
}

/// Runs the families whose files are in `folder`, or in the folder that `ORLOP_VECTORS` names.
///
/// A family without a file is passed over; where `ORLOP_VECTORS` is not set it is a failure.
#[must_use]
pub fn run(folder: impl AsRef<Path>, families: &[Family]) -> ExitCode {
    let other = std::env::var_os("ORLOP_VECTORS").map(PathBuf::from);
    let fresh = other.is_some();
    let folder = other.unwrap_or_else(|| folder.as_ref().to_owned());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for family in families {
            print(&format!("{}: test\n", family.name));
        }
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<&Family> = families
        .iter()
        .filter(|family| {
            let mut names = arguments.iter().filter(|argument| !argument.starts_with('-')).peekable();
            names.peek().is_none() || names.any(|name| family.name.contains(name.as_str()))
        })
        .collect();

    // Panics of cases are reported with the case, not as they happen.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| {
        PANIC.with_borrow_mut(|text| *text = info.to_string());
    }));
    let mut good = true;
    for family in chosen {
        let name = family.name;
        match read(&folder, name) {
            Ok(Some(text)) => {
                let only = std::env::var("ORLOP_CASE").unwrap_or_default();
                let outcomes = run_lines(family, &text, &only);
                let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
                for miss in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
                    print(&format!("MISS {miss}\n"));
                }
                print(&format!("{name}: {} passed, {failed} failed\n", outcomes.len() - failed));
                good &= failed == 0;
            }
            Ok(None) if fresh => {}
            Ok(None) => {
                print(&format!("{name}: no file {name}.jsonl.gz in {}\n", folder.display()));
                good = false;
            }
            Err(error) => {
                print(&format!("{name}: cannot be read: {error}\n{name}: 0 passed, 1 failed\n"));
                good = false;
            }
        }
    }
    std::panic::set_hook(hook);
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

fn print(text: &str) {
    // A closed output is no reason to stop.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn read(folder: &Path, family: &str) -> std::io::Result<Option<Vec<u8>>> {
    let plain = folder.join(format!("{family}.jsonl"));
    if plain.exists() {
        return std::fs::read(plain).map(Some);
    }
    let packed = folder.join(format!("{family}.jsonl.gz"));
    if !packed.exists() {
        return Ok(None);
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(packed)?).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// Cases run on as many threads as there are cores; the outcomes are in order of the lines.
fn run_lines(family: &Family, text: &[u8], only: &str) -> Vec<Result<(), String>> {
    let lines: VecDeque<(usize, &[u8])> = text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .filter(|(_, line)| only.is_empty() || String::from_utf8_lossy(line).contains(only))
        .collect();
    let mut outcomes = Vec::with_capacity(lines.len());
    let lines = Mutex::new(lines);
    let next = || lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..std::thread::available_parallelism().map_or(1, usize::from))
            .map(|_| {
                std::thread::Builder::new().stack_size(16 << 20).spawn_scoped(scope, || {
                    let mut done = Vec::new();
                    while let Some((number, line)) = next() {
                        done.extend(
                            run_line(family, number, line).transpose().map(|outcome| (number, outcome)),
                        );
                    }
                    done
                })
            })
            .collect();
        for worker in workers {
            match worker.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(done)) => outcomes.extend(done),
                _ => outcomes.push((usize::MAX, Err("a thread that runs cases failed".to_owned()))),
            }
        }
    });
    outcomes.sort_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// `None`: the case is another crate's.
fn run_line(family: &Family, number: usize, line: &[u8]) -> Result<Option<()>, String> {
    let unreadable =
        |error: &dyn std::fmt::Display| format!("{} line {}: unreadable: {error}", family.name, number + 1);
    let line = std::str::from_utf8(line).map_err(|error| unreadable(&error))?;
    let value = match serde_json::from_str::<Value>(line) {
        Ok(value) => value,
        Err(_) if family.raw => Value::Null,
        Err(error) => return Err(unreadable(&error)),
    };
    #[derive(serde::Deserialize)]
    struct Head {
        id: String,
        #[serde(default, alias = "fn")]
        op: String,
    }
    let head: Head = serde_json::from_str(line).map_err(|error| unreadable(&error))?;
    if family.elsewhere.contains(&head.op.as_str()) {
        return Ok(None);
    }
    let case = Case { id: head.id, op: head.op, line: line.to_owned(), value };
    let outcome = catch_unwind(AssertUnwindSafe(|| (family.run)(&case)))
        .unwrap_or_else(|_| Err(format!("panic: {}", PANIC.take())));
    outcome.map(Some).map_err(|difference| {
        let op = if case.op.is_empty() { String::new() } else { format!(" [{}]", case.op) };
        format!("{}{op}\n{}", case.id, indent(&difference))
    })
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Collects what differs between wanted and got, so that one case shows all of it.
#[derive(Debug, Default)]
pub struct Check(Vec<String>);

impl Check {
    /// Nothing differs yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a difference.
    pub fn miss(&mut self, text: impl Into<String>) {
        self.0.push(text.into());
    }

    /// Compares two values.
    pub fn eq<T: PartialEq + Debug + ?Sized>(&mut self, what: &str, want: &T, got: &T) {
        if want != got {
            self.0.push(format!("{what}:\n  want {want:?}\n  got  {got:?}"));
        }
    }

    /// Compares two JSON values exactly.
    pub fn json(&mut self, what: &str, want: &Value, got: &Value) {
        self.0.extend(differences(what, want, got));
    }

    /// Compares two objects of the API by the rules of [`normalized`].
    pub fn object(&mut self, what: &str, want: &Value, got: &Value) {
        self.json(what, &normalized(want), &normalized(got));
    }

    /// Compares two lists as multisets, by the elements' JSON text.
    pub fn multiset(&mut self, what: &str, want: &[Value], got: &[Value]) {
        self.json(what, &sorted(want), &sorted(got));
    }

    /// `Ok` if nothing differs.
    ///
    /// # Errors
    /// All differences as a text.
    pub fn finish(self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0.join("\n")) }
    }
}

fn sorted(list: &[Value]) -> Value {
    let mut list = list.to_vec();
    list.sort_by_cached_key(Value::to_string);
    Value::Array(list)
}

/// Where two JSON values differ, one text for each place; `path` is the place of the values
/// themselves.
#[must_use]
pub fn differences(path: &str, want: &Value, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(path, want, got, &mut found);
    found
}

fn walk(path: &str, want: &Value, got: &Value, found: &mut Vec<String>) {
    match (want, got) {
        _ if want == got => {}
        (Value::Object(want), Value::Object(got)) => {
            for (key, value) in want {
                let path = format!("{path}.{key}");
                match got.get(key) {
                    Some(other) => walk(&path, value, other, found),
                    None => found.push(format!("{path}: want {value}, got nothing")),
                }
            }
            for (key, value) in got.iter().filter(|(key, _)| !want.contains_key(*key)) {
                found.push(format!("{path}.{key}: want nothing, got {value}"));
            }
        }
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
            for (index, (want, got)) in want.iter().zip(got).enumerate() {
                walk(&format!("{path}[{index}]"), want, got, found);
            }
        }
        _ => {
            let mut text = format!("{path}:");
            let _ = write!(text, "\n  want {want}\n  got  {got}");
            found.push(text);
        }
    }
}

/// Fields that Go writes as `{}` although nothing is in them.
const PLAIN_STRUCTS: &[&str] = &[
    "metadata",
    "spec",
    "status",
    "resources",
    "strategy",
    "updateStrategy",
    "nodeInfo",
    "daemonEndpoints",
    "kubeletEndpoint",
    "loadBalancer",
    "state",
    "lastState",
];

/// Fields whose value is a quantity.
const QUANTITIES: &[&str] =
    &["sizeLimit", "divisor", "averageValue", "value", "storage", "memory", "cpu", "ephemeral-storage"];

/// Fields whose values are maps of quantities.
const RESOURCE_LISTS: &[&str] = &[
    "requests",
    "limits",
    "capacity",
    "allocatable",
    "allocatedResources",
    "overhead",
    "podFixed",
    "hard",
    "used",
    "default",
    "defaultRequest",
    "max",
    "min",
    "maxLimitRequestRatio",
];

/// An object of the API in the form in which two are compared: absent, `null`, an empty list and an
/// empty map are the same, so is `{}` where Go always writes the struct; quantities are in their
/// canonical form.
///
/// An empty map elsewhere (`emptyDir: {}`, `securityContext: {}`) is kept: it has a meaning.
#[must_use]
pub fn normalized(object: &Value) -> Value {
    normalize(object, "", "")
}

fn normalize(value: &Value, name: &str, parent: &str) -> Value {
    match value {
        Value::Object(fields) => {
            let mut kept = serde_json::Map::new();
            for (key, field) in fields {
                let field = normalize(field, key, name);
                let absent = match &field {
                    Value::Null => true,
                    Value::Array(list) => list.is_empty(),
                    Value::Object(fields) => fields.is_empty() && is_plain(key),
                    // Plain strings and numbers that Go writes although they are unset.
                    Value::String(text) => text.is_empty() && name == "nodeInfo",
                    Value::Number(number) => number.as_u64() == Some(0) && key == "Port",
                    Value::Bool(_) => false,
                };
                if !absent {
                    kept.insert(key.clone(), field);
                }
            }
            Value::Object(kept)
        }
        Value::Array(list) => Value::Array(list.iter().map(|item| normalize(item, name, parent)).collect()),
        Value::String(text) if RESOURCE_LISTS.contains(&parent) || QUANTITIES.contains(&name) => {
            match text.parse::<Quantity>() {
                Ok(quantity) => Value::String(quantity.canonical()),
                Err(_) => value.clone(),
            }
        }
        _ => value.clone(),
    }
}

fn is_plain(name: &str) -> bool {
    PLAIN_STRUCTS.contains(&name)
        || RESOURCE_LISTS.contains(&name)
        || ["labels", "annotations", "nodeSelector", "matchLabels", "data", "stringData", "binaryData"]
            .contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unset_and_empty_are_the_same_where_go_writes_them_alike() {
        let want = json!({"metadata": {}, "spec": {"containers": [{"resources": {"requests": {"cpu": "0.5"}}}], "volumes": null}});
        let got = json!({"spec": {"containers": [{"resources": {"requests": {"cpu": "500m"}, "limits": {}}}]}, "status": {}});
        assert_eq!(normalized(&want), normalized(&got));
        let volume = json!({"emptyDir": {}});
        assert_eq!(normalized(&volume), volume);
    }

    #[test]
    fn differences_name_their_places() {
        let found = differences("out", &json!({"a": [1, 2], "b": 1}), &json!({"a": [1, 3], "c": 1}));
        assert_eq!(found.len(), 3);
        assert!(found[0].starts_with("out.a[1]:"));
    }

    #[test]
    fn unreadable_lines_and_panics_are_failed_cases() {
        let family = Family::new("f", |case| {
            assert_ne!(case.id, "c", "refused");
            if case.id == "b" { Err("differs".to_owned()) } else { Ok(()) }
        });
        let lines = b"{\"id\":\"a\"}\n{\"id\":\"b\",\"fn\":\"g\"}\nnonsense\n\n{\"id\":\"c\"}\n";
        let outcomes = run_lines(&family, lines, "");
        assert_eq!(outcomes.len(), 4);
        assert!(outcomes[0].is_ok());
        assert_eq!(outcomes[1].as_ref().unwrap_err(), "b [g]\n    differs");
        assert!(outcomes[2].as_ref().unwrap_err().contains("line 3: unreadable"));
        assert!(outcomes[3].is_err());
    }
}
