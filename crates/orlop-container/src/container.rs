//! [`Container`]: one isolated process and what belongs to it.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Error;
use crate::cgroup::{Cgroup, OomWatch, Resources, Stats};
use crate::compile;
use crate::id::Id;
use crate::process::{Exit, Family, Process};
use crate::runtime::Shared;
use crate::spawn::{self, Held};
use crate::spec::{ProcessSpec, Stdio};
use crate::state::{Identity, Record};

/// In which state a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// All is set up, and its program doesn't run yet.
    Created,
    /// Its program runs.
    Running,
    /// Its program has ended, or could not be executed.
    Stopped,
    /// It is deleted.
    Deleted,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Deleted => "deleted",
        }
    }
}

/// One isolated process and what belongs to it: its cgroup, its record.
///
/// Whoever drops it without [`delete`](Self::delete) leaves a running container to be found by
/// [`Runtime::recover`](crate::Runtime::recover); one that was never started is deleted.
#[derive(Debug)]
pub struct Container {
    id: Id,
    shared: Arc<Shared>,
    family: Family,
    cgroup: Option<Cgroup>,
    record: Mutex<Record>,
    /// The line to the process, as long as it waits to be started.
    held: Mutex<Option<Held>>,
    stage: Mutex<Stage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Created,
    Started,
    Deleted,
}

impl Container {
    pub(crate) fn created(
        id: Id,
        shared: Arc<Shared>,
        family: Family,
        line: Held,
        cgroup: Option<Cgroup>,
        record: Record,
    ) -> Self {
        Self {
            id,
            shared,
            family,
            cgroup,
            record: Mutex::new(record),
            held: Mutex::new(Some(line)),
            stage: Mutex::new(Stage::Created),
        }
    }

    pub(crate) fn found(
        id: Id,
        shared: Arc<Shared>,
        family: Family,
        cgroup: Option<Cgroup>,
        record: Record,
    ) -> Self {
        Self {
            id,
            shared,
            family,
            cgroup,
            record: Mutex::new(record),
            held: Mutex::new(None),
            stage: Mutex::new(Stage::Started),
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Its first process.
    #[must_use]
    pub fn process(&self) -> &Process {
        self.family.first()
    }

    /// The number of its first process in the caller's pid namespace.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.family.first().pid()
    }

    /// Its cgroup, if it has one.
    #[must_use]
    pub fn cgroup(&self) -> Option<&Cgroup> {
        self.cgroup.as_ref()
    }

    /// What the caller wanted to find again.
    #[must_use]
    pub fn annotations(&self) -> BTreeMap<String, String> {
        lock(&self.record).annotations.clone()
    }

    /// In which state it is.
    ///
    /// # Errors
    /// If the kernel refuses to tell.
    pub fn status(&self) -> Result<Status, Error> {
        let stage = *lock(&self.stage);
        if stage == Stage::Deleted {
            return Ok(Status::Deleted);
        }
        Ok(match (self.family.try_wait()?, stage) {
            (Some(_), _) => Status::Stopped,
            (None, Stage::Created) => Status::Created,
            (None, _) => Status::Running,
        })
    }

    /// Executes its program. When this comes back the program runs.
    ///
    /// # Errors
    /// If it isn't [`Status::Created`], or the program cannot be executed. Then the container is stopped.
    #[tracing::instrument(level = "debug", skip_all, fields(container = %self.id))]
    pub fn start(&self) -> Result<(), Error> {
        let held = lock(&self.held).take();
        let Some(held) = held else { return Err(self.state("created")?) };
        let done = self.note_process().and_then(|()| held.start());
        if done.is_ok() {
            let mut stage = lock(&self.stage);
            // It may have been deleted meanwhile.
            if *stage == Stage::Created {
                *stage = Stage::Started;
            }
        } else {
            // It ends by itself, having lost the line.
            self.family.kill_and_wait()?;
        }
        done
    }

    /// Which process it is, for the next run of the program. Before this it would end with us, and need not be found.
    fn note_process(&self) -> Result<(), Error> {
        let mut record = lock(&self.record);
        record.process = Identity::of(self.family.first().pid())?;
        self.shared.faults.step("write record")?;
        record.write(&self.shared.dir(&self.id)?)
    }

    fn state(&self, needed: &'static str) -> Result<Error, Error> {
        Ok(Error::State { id: self.id.to_string(), is: self.status()?.name(), needed })
    }

    /// Sends a signal to its first process, by number. The first process of a pid namespace gets only those it has a
    /// handler for, besides SIGKILL and SIGSTOP.
    ///
    /// # Errors
    /// If there is no such signal, or the kernel refuses.
    pub fn signal(&self, signal: i32) -> Result<(), Error> {
        self.family.first().signal(signal)
    }

    /// Kills all of its processes at once. Without a cgroup and without a pid namespace of its own that is the first one.
    ///
    /// # Errors
    /// If the kernel refuses, or they don't end in time.
    pub fn kill(&self) -> Result<(), Error> {
        self.family.first().signal(libc::SIGKILL)?;
        match &self.cgroup {
            Some(cgroup) => cgroup.kill(),
            None => Ok(()),
        }
    }

    /// How its program ended, if it has.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn try_wait(&self) -> Result<Option<Exit>, Error> {
        self.family.try_wait()?.map(|exit| self.with_memory(exit)).transpose()
    }

    /// Waits until its program has ended.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn wait(&self) -> Result<Exit, Error> {
        self.family.wait().and_then(|exit| self.with_memory(exit))
    }

    /// Waits until its program has ended, at most so long.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn wait_for(&self, timeout: Duration) -> Result<Option<Exit>, Error> {
        self.family.wait_for(timeout)?.map(|exit| self.with_memory(exit)).transpose()
    }

    /// Waits until its program has ended, without holding a thread. Needs a tokio runtime with I/O.
    ///
    /// # Errors
    /// If the kernel refuses.
    #[cfg(feature = "tokio")]
    pub async fn exited(&self) -> Result<Exit, Error> {
        let exit = self.family.exited().await?;
        self.with_memory(exit)
    }

    fn with_memory(&self, mut exit: Exit) -> Result<Exit, Error> {
        if let Some(cgroup) = self.cgroup.as_ref().filter(|_| *lock(&self.stage) != Stage::Deleted) {
            exit.oom_killed = cgroup.oom_kills()? > 0;
        }
        Ok(exit)
    }

    /// Runs a further process in it: in its namespaces, its cgroup and its files.
    ///
    /// # Errors
    /// If it isn't running, or the process cannot be made. Then nothing is left of it.
    #[tracing::instrument(level = "debug", skip_all, fields(container = %self.id))]
    pub fn exec(&self, spec: &ProcessSpec, stdio: Stdio) -> Result<Process, Error> {
        if self.status()? != Status::Running {
            return Err(self.state("running")?);
        }
        let other_user = lock(&self.record).user_namespace;
        let launch = {
            let machine = compile::Machine {
                cgroups: None,
                cgroup: self.cgroup.as_ref(),
                execute: self.shared.execute.as_ref(),
                filters: &self.shared.filters,
                ids: &self.shared.ids,
            };
            compile::further(spec, stdio, self.family.first().as_fd(), other_user, &machine)?
        };
        let spawn::Prepared { process, line } = spawn::spawn(launch, &self.shared.faults)?;
        if let Err(error) = line.start() {
            process.kill_and_wait()?;
            return Err(error);
        }
        if let Err(error) = self.family.add(&process) {
            process.kill_and_wait()?;
            return Err(error);
        }
        // Whoever deleted it meanwhile may not have seen this one.
        let deleted = *lock(&self.stage) == Stage::Deleted;
        if deleted {
            process.kill_and_wait()?;
            return Err(self.state("running")?);
        }
        Ok(process)
    }

    /// Stops all of its processes until [`resume`](Self::resume), and waits until they have stopped.
    ///
    /// # Errors
    /// If it has no cgroup, or the kernel refuses.
    pub fn pause(&self) -> Result<(), Error> {
        self.needs_cgroup()?.freeze()
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// If it has no cgroup, or the kernel refuses.
    pub fn resume(&self) -> Result<(), Error> {
        self.needs_cgroup()?.thaw()
    }

    /// Changes its limits. Those that aren't given stay as they are.
    ///
    /// # Errors
    /// As [`Cgroup::update`], or if it has no cgroup.
    pub fn update(&self, resources: &Resources) -> Result<(), Error> {
        self.needs_cgroup()?.update(resources)
    }

    /// What it has used.
    ///
    /// # Errors
    /// If it has no cgroup, or the kernel refuses.
    pub fn stats(&self) -> Result<Stats, Error> {
        self.needs_cgroup()?.stats()
    }

    /// Watches for its memory running out.
    ///
    /// # Errors
    /// As [`Cgroup::watch_oom`], or if it has no cgroup.
    pub fn watch_oom(&self) -> Result<OomWatch, Error> {
        self.needs_cgroup()?.watch_oom()
    }

    fn needs_cgroup(&self) -> Result<&Cgroup, Error> {
        let missing = || Error::NoController { what: format!("a cgroup of {}", self.id) };
        self.cgroup.as_ref().filter(|_| *lock(&self.stage) != Stage::Deleted).ok_or_else(missing)
    }

    /// Kills what still runs of it, and removes everything that belongs to it. A second time it does nothing.
    ///
    /// # Errors
    /// If something cannot be removed; it can be tried again.
    #[tracing::instrument(level = "debug", skip_all, fields(container = %self.id))]
    pub fn delete(&self) -> Result<(), Error> {
        let mut stage = lock(&self.stage);
        if *stage == Stage::Deleted {
            return Ok(());
        }
        drop(lock(&self.held).take());
        if let Some(cgroup) = &self.cgroup {
            cgroup.thaw_to_die();
        }
        self.family.kill_and_wait()?;
        if let Some(cgroup) = &self.cgroup {
            cgroup.kill()?;
            cgroup.remove()?;
        }
        self.shared.state.remove_all(self.id.as_str())?;
        *stage = Stage::Deleted;
        Ok(())
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if *lock(&self.stage) != Stage::Created {
            return;
        }
        if let Err(error) = self.delete() {
            tracing::warn!(container = %self.id, %error, "a container that was never started is left over");
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
