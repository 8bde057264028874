//! What a simulated container does, as a little script.

use std::time::Duration;

use orlop_model::core::v1::{Container, ContainerRestartPolicy, Pod, RestartPolicy};

use crate::restart::is_sidecar;

/// A script that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("behaviour {script:?}: {word:?} is not understood: {expected}")]
pub struct ScriptError {
    /// The whole script.
    pub script: String,
    /// The word that is wrong.
    pub word: String,
    /// What would be right.
    pub expected: &'static str,
}

/// How a container ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// How long it runs before.
    pub after: Duration,
    /// Its exit code.
    pub code: i32,
    /// It is killed because it used too much memory.
    pub oom: bool,
}

/// What becomes of pulls of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pull {
    /// They succeed.
    #[default]
    Works,
    /// There is no such image.
    Missing,
    /// So many fail, the next one works.
    Fails(u32),
}

/// What a simulated container does.
///
/// A script is a list of words, separated by commas or blanks:
///
/// | word | meaning |
/// | --- | --- |
/// | `pull=3s`, `pull=missing`, `pull=fail`, `pull=fail*N` | the pull takes 3 s; there is no such image; all pulls (the first N) fail |
/// | `start=500ms` | from the call to start it until it runs |
/// | `start=error` | it cannot be started |
/// | `stop=2s`, `stop=never` | how long it takes to end when asked to; only force helps |
/// | `term=143` | its exit code when asked to end |
/// | `exit=1@5s` | it ends by itself, with code 1, after running for 5 s |
/// | `oom@5s` | it is killed for its use of memory, after 5 s |
/// | `run` | it does not end by itself |
/// | `times=3` | only the first 3 instances end by themselves |
/// | `ready=10s`, `ready=never` | the readiness probe succeeds from then on |
/// | `live=30s`, `live=always` | the liveness probe fails from then on |
/// | `up=5s`, `up=never` | the startup probe succeeds from then on |
/// | `hook=2s`, `hook=fail` | lifecycle hooks take 2 s; they fail |
///
/// Durations are whole numbers with `ms`, `s`, `m` or `h`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// What becomes of pulls.
    pub pull: Pull,
    /// How long a pull takes; `None`: as usual.
    pub pull_time: Option<Duration>,
    /// How long the start takes; `None`: as usual.
    pub start: Option<Duration>,
    /// It cannot be started.
    pub start_fails: bool,
    /// How long it takes to end when asked to; `None`: as usual.
    pub stop: Option<Duration>,
    /// It does not end when asked to.
    pub stubborn: bool,
    /// Its exit code when it ends because it was asked to.
    pub term_code: i32,
    /// How it ends by itself.
    pub end: Option<End>,
    /// Only so many first instances end by themselves.
    pub times: Option<u32>,
    /// From when it is ready.
    pub ready: Duration,
    /// It is never ready.
    pub never_ready: bool,
    /// From when its liveness probe fails.
    pub sick: Option<Duration>,
    /// From when its startup probe succeeds.
    pub up: Duration,
    /// It never finishes starting.
    pub never_up: bool,
    /// How long its hooks take.
    pub hook: Duration,
    /// Its hooks fail.
    pub hook_fails: bool,
}

/// `500ms`, `2s`, `3m`, `1h`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

impl Behaviour {
    /// Adds a script to what is decided so far.
    ///
    /// # Errors
    /// The first word that is not understood; words before it count.
    pub fn apply(&mut self, script: &str) -> Result<(), ScriptError> {
        for word in script.split([',', ' ', '\n']).filter(|word| !word.is_empty()) {
            self.word(word).map_err(|expected| ScriptError {
                script: script.to_owned(),
                word: word.to_owned(),
                expected,
            })?;
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), &'static str> {
        const TIME: &str = "a duration like 500ms, 2s, 3m or 1h is needed";
        if word == "run" {
            self.end = None;
            return Ok(());
        }
        if let Some(after) = word.strip_prefix("oom@") {
            self.end = Some(End { after: duration(after).ok_or(TIME)?, code: 137, oom: true });
            return Ok(());
        }
        let (name, value) = word.split_once('=').ok_or("words are NAME=VALUE, run, or oom@TIME")?;
        let time = || duration(value).ok_or(TIME);
        match (name, value) {
            ("pull", "missing") => self.pull = Pull::Missing,
            ("pull", "fail") => self.pull = Pull::Fails(u32::MAX),
            ("pull", value) if value.starts_with("fail*") => {
                self.pull = Pull::Fails(value[5..].parse().map_err(|_| "a number of failures is needed")?);
            }
            ("pull", _) => self.pull_time = Some(time()?),
            ("start", "error") => self.start_fails = true,
            ("start", _) => self.start = Some(time()?),
            ("stop", "never") => self.stubborn = true,
            ("stop", _) => (self.stop, self.stubborn) = (Some(time()?), false),
            ("term", code) => self.term_code = code.parse().map_err(|_| "an exit code is needed")?,
            ("exit", value) => {
                let (code, after) = value.split_once('@').ok_or("CODE@TIME is needed")?;
                let code = code.parse().map_err(|_| "an exit code is needed")?;
                self.end = Some(End { after: duration(after).ok_or(TIME)?, code, oom: false });
            }
            ("times", value) => self.times = Some(value.parse().map_err(|_| "a number is needed")?),
            ("ready", "never") => self.never_ready = true,
            ("ready", _) => (self.ready, self.never_ready) = (time()?, false),
            ("live", "always") => self.sick = None,
            ("live", _) => self.sick = Some(time()?),
            ("up", "never") => self.never_up = true,
            ("up", _) => (self.up, self.never_up) = (time()?, false),
            ("hook", "fail") => self.hook_fails = true,
            ("hook", _) => (self.hook, self.hook_fails) = (time()?, false),
            _ => return Err("there is no such name"),
        }
        Ok(())
    }

    /// What a container does by its place in the pod and by its command.
    pub(crate) fn of(pod: &Pod, container: &Container) -> Self {
        let init = pod.spec.init_containers.iter().any(|init| init.name == container.name);
        let mut behaviour = Self::default();
        let ends = |after: u64| Some(End { after: Duration::from_secs(after), code: 0, oom: false });
        if init && !is_sidecar(container) {
            behaviour.end = ends(1);
        } else if !init {
            let always = match &container.restart_policy {
                Some(policy) => *policy == ContainerRestartPolicy::Always,
                None => !matches!(pod.spec.restart_policy, RestartPolicy::Never | RestartPolicy::OnFailure),
            };
            if !always {
                behaviour.end = ends(3);
            }
        }
        if let Some(end) = of_command(container) {
            behaviour.end = end;
        }
        behaviour
    }
}

/// The script that a tag stands for.
pub(crate) fn of_tag(image: &str) -> Option<&'static str> {
    let tag = image.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'))?;
    Some(match tag {
        "crash" => "exit=1@1s",
        "fail" => "exit=1@0s",
        "done" => "exit=0@1s",
        "oom" => "oom@2s",
        "slow" => "start=5s,ready=10s",
        "unready" => "ready=never",
        "sick" => "live=10s",
        "stubborn" => "stop=never",
        "missing" | "does-not-exist" | "nonexistent" => "pull=missing",
        "flaky" => "pull=fail*2",
        _ => return None,
    })
}

/// How a container ends by its command; `None` if that cannot be told, `Some(None)` if it does not.
fn of_command(container: &Container) -> Option<Option<End>> {
    let words: Vec<&str> =
        container.command.iter().chain(&container.args).map(|word| word.as_str()).collect();
    let name = |word: &str| word.rsplit('/').next().map(str::to_owned).unwrap_or_default();
    let (first, rest) = words.split_first()?;
    match (name(first).as_str(), rest) {
        ("sh" | "bash" | "ash" | "dash", [flag, script, ..])
            if flag.starts_with('-') && flag.ends_with('c') =>
        {
            of_script(script)
        }
        _ => of_statement(&words).map(|(after, code)| {
            code.or(after.map(|_| 0)).map(|code| End { after: after.unwrap_or_default(), code, oom: false })
        }),
    }
}

/// How long one statement takes (`None`: for ever), and the code that it ends the program with, if it does.
fn of_statement(words: &[&str]) -> Option<(Option<Duration>, Option<i32>)> {
    let program = words.first()?.rsplit('/').next()?;
    match (program, words.get(1)) {
        ("true", _) => Some((Some(Duration::ZERO), Some(0))),
        ("false", _) => Some((Some(Duration::ZERO), Some(1))),
        ("sleep", Some(&("infinity" | "inf"))) => Some((None, None)),
        ("sleep", Some(time)) => {
            let seconds = time.parse::<u64>().ok().map(Duration::from_secs).or_else(|| duration(time))?;
            Some((Some(seconds), None))
        }
        ("exit", code) => Some((Some(Duration::ZERO), Some(code.map_or(Ok(0), |code| code.parse()).ok()?))),
        _ => None,
    }
}

fn of_script(script: &str) -> Option<Option<End>> {
    let statements: Vec<&str> = script
        .split([';', '\n'])
        .flat_map(|part| part.split("&&"))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let compound = ["while", "until", "for", "if", "case", "do", "exec"];
    if statements
        .iter()
        .any(|statement| statement.split_whitespace().next().is_some_and(|word| compound.contains(&word)))
    {
        return None;
    }
    let mut end = None;
    let mut after = Duration::ZERO;
    for statement in statements {
        let words: Vec<&str> = statement.split_whitespace().collect();
        match of_statement(&words) {
            None => {}
            Some((None, _)) => return Some(None),
            Some((Some(time), code)) => {
                after += time;
                let ends = words[0] == "exit";
                end = Some(End { after, code: code.unwrap_or(0), oom: false });
                if ends {
                    break;
                }
            }
        }
    }
    end.map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scripts() {
        let mut behaviour = Behaviour::default();
        behaviour.apply("pull=fail*2, start=500ms stop=never,exit=3@2m,times=1,ready=never,live=30s,up=1s,hook=fail,term=143").unwrap();
        assert_eq!(behaviour.end, Some(End { after: Duration::from_secs(120), code: 3, oom: false }));
        assert_eq!((behaviour.pull, behaviour.stubborn, behaviour.times), (Pull::Fails(2), true, Some(1)));
        behaviour.apply("run,ready=1s").unwrap();
        assert_eq!((behaviour.end, behaviour.never_ready), (None, false));
        for bad in ["exit=1", "start=fast", "what=1s", "crash", "exit=x@1s", "start=5"] {
            let error = behaviour.apply(bad).unwrap_err();
            assert_eq!(error.word, bad);
        }
    }

    #[test]
    fn commands() {
        let end = |command: serde_json::Value, args: serde_json::Value| {
            of_command(
                &serde_json::from_value(json!({"name": "c", "command": command, "args": args})).unwrap(),
            )
        };
        let ends =
            |after: u64, code: i32| Some(Some(End { after: Duration::from_secs(after), code, oom: false }));
        assert_eq!(end(json!(["/bin/true"]), json!([])), ends(0, 0));
        assert_eq!(end(json!(["false"]), json!([])), ends(0, 1));
        assert_eq!(end(json!(["sleep"]), json!(["30"])), ends(30, 0));
        assert_eq!(end(json!(["sleep", "infinity"]), json!([])), Some(None));
        assert_eq!(
            end(json!(["sh", "-c", "echo hi; sleep 5 && sleep 2; exit 7; sleep 100"]), json!([])),
            ends(7, 7)
        );
        assert_eq!(end(json!(["/bin/sh", "-ec"]), json!(["echo hi; sleep 3"])), ends(3, 0));
        assert_eq!(end(json!(["sh", "-c", "until nslookup db; do sleep 2; done"]), json!([])), None);
        assert_eq!(end(json!(["nginx"]), json!([])), None);
        assert_eq!(end(json!([]), json!([])), None);
    }
}
