//! [`Hub`]: one log of changes for all subscribers, each of whom reads at its own pace.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use orlop_model::Object;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::Delta;
use crate::subscription::Lag;
use crate::table::View;

/// Changes that are handed over together, unless a subscriber asks sooner.
const SEGMENT: usize = 256;

/// What a subscriber knows, or what there is to know.
pub(crate) enum Base<K> {
    Nothing,
    /// Everything.
    All(View<K>),
    /// The objects with a value of an index, in the order of their keys.
    Some(Vec<Arc<K>>),
}

/// Buffers of changes that are kept to be filled again, so that a log in use asks the allocator for none.
const SPARE: usize = 2;

/// Changes in order, shared by all who have to hear of them.
pub(crate) type Deltas<K> = Arc<Vec<Delta<K>>>;

/// A bounded log and the subscribers who read it. Each change is kept once, until the last of them has taken it.
///
/// When the log is full, those who have not yet taken its oldest changes leave it: they keep the changes that are in it,
/// and what there was after those (see [`View`]: that copies nothing), and later are told the difference to what there
/// is then. So a change costs the same however many are behind.
pub(crate) struct Hub<K> {
    log: Mutex<Log<K>>,
    /// Told when a subscriber that the writer waits for has taken something.
    taken: Notify,
}

pub(crate) struct Log<K> {
    segments: VecDeque<Segment<K>>,
    /// Number of the first segment.
    first: u64,
    /// Changes that are in no segment yet.
    tail: Vec<Delta<K>>,
    /// What the next tails are made of; all empty.
    spare: Vec<Vec<Delta<K>>>,
    /// Changes that were ever logged.
    logged: u64,
    capacity: usize,
    members: Vec<Option<Member<K>>>,
    followers: usize,
    blocking: usize,
    /// Somebody has to be woken.
    news: bool,
    closed: bool,
}

struct Segment<K> {
    deltas: Deltas<K>,
    /// Number of its first change.
    start: u64,
    /// Followers who have not taken it.
    readers: usize,
}

struct Member<K> {
    position: Position<K>,
    lag: Lag,
    waker: Option<Waker>,
}

enum Position<K> {
    /// Takes this segment next.
    Following(u64),
    /// Is to be told these changes, which lead to what it then knows, then the difference to what there is.
    Behind { waiting: VecDeque<Deltas<K>>, known: Base<K>, again: bool },
    /// Has to begin anew.
    Lost,
}

/// What a subscriber gets when it asks.
pub(crate) enum Taken<K> {
    Deltas(Deltas<K>),
    /// Has to look at what there is, and to [follow](Log::follow) from there.
    Look,
    /// Nothing yet. The waker is kept.
    Nothing,
    Closed,
}

/// What a subscriber knew when it began to follow.
pub(crate) struct Caught<K> {
    pub(crate) known: Base<K>,
    /// It wants to be told everything, changed or not.
    pub(crate) again: bool,
    /// It has to forget what it knows.
    pub(crate) reset: bool,
}

impl<K> Hub<K> {
    pub(crate) fn new(capacity: usize, closed: bool) -> Self {
        let log = Log {
            segments: VecDeque::new(),
            first: 0,
            tail: Vec::new(),
            spare: Vec::new(),
            logged: 0,
            capacity: capacity.max(1),
            members: Vec::new(),
            followers: 0,
            blocking: 0,
            news: false,
            closed,
        };
        Self { log: Mutex::new(log), taken: Notify::new() }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log<K>> {
        self.log.lock()
    }

    pub(crate) const fn taken(&self) -> &Notify {
        &self.taken
    }

    /// Somebody is done with changes. Whoever is the last drops the objects, here, where nothing is locked, and hands
    /// back what they were in.
    pub(crate) fn finish(&self, deltas: Deltas<K>) {
        let Some(mut deltas) = Arc::into_inner(deltas) else { return };
        deltas.clear();
        if let Some(mut log) = self.log.try_lock() {
            log.keep(deltas);
        }
    }
}

impl<K> Log<K> {
    /// A new subscriber, who knows nothing yet.
    pub(crate) fn join(&mut self, lag: Lag) -> usize {
        let position = Position::Behind { waiting: VecDeque::new(), known: Base::Nothing, again: false };
        self.blocking += usize::from(matches!(lag, Lag::Block(_)));
        let member = Some(Member { position, lag, waker: None });
        if let Some(free) = self.members.iter().position(Option::is_none) {
            self.members[free] = member;
            return free;
        }
        self.members.push(member);
        self.members.len() - 1
    }

    /// A subscriber is gone. What nobody will take any more is handed out to be dropped when no lock is held.
    pub(crate) fn leave(&mut self, member: usize) -> impl Sized + use<K> {
        let gone = self.members.get_mut(member).and_then(Option::take);
        let mut freed = Vec::new();
        if let Some(gone) = &gone {
            self.blocking -= usize::from(matches!(gone.lag, Lag::Block(_)));
            if let Position::Following(at) = gone.position {
                freed = self.unfollow(at);
            }
        }
        while self.members.last().is_some_and(Option::is_none) {
            self.members.pop();
        }
        (gone, freed)
    }

    pub(crate) fn is_unused(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether a change has to be [logged](Self::push).
    pub(crate) const fn is_followed(&self) -> bool {
        self.followers > 0
    }

    /// Logs a change. `now` is what there is after it; asked for only if somebody is left behind.
    pub(crate) fn push(&mut self, delta: Delta<K>, now: impl FnOnce() -> Base<K>)
    where
        K: Object,
    {
        self.news = true;
        self.tail.push(delta);
        self.logged += 1;
        let tail = self.logged - self.tail.len() as u64;
        let kept = self.logged - self.segments.front().map_or(tail, |segment| segment.start);
        if kept >= self.capacity as u64 {
            // Nobody can be behind by more.
            self.seal();
            let oldest = self.first;
            let slowest =
                |_, member: &Member<K>| matches!(member.position, Position::Following(at) if at == oldest);
            self.leave_behind(slowest, &now());
        } else if self.tail.len() >= SEGMENT {
            self.seal();
        }
    }

    /// Many changes follow that nobody should have to hear one by one: to those who follow, the difference between
    /// `now` and what there will be is told instead.
    pub(crate) fn skip(&mut self, now: &Base<K>)
    where
        K: Object,
    {
        self.news = true;
        self.seal();
        self.leave_behind(|_, _| true, now);
    }

    /// Those followers stop following.
    fn leave_behind(&mut self, who: impl Fn(usize, &Member<K>) -> bool, now: &Base<K>) {
        for index in 0..self.members.len() {
            let Some(member) = self.members[index].as_mut().filter(|member| who(index, member)) else {
                continue;
            };
            let Position::Following(at) = member.position else { continue };
            member.position = match member.lag {
                Lag::Resync => Position::Lost,
                Lag::Coalesce | Lag::Block(_) => {
                    let waiting = self.segments.iter().skip((at - self.first) as usize);
                    let waiting = waiting.map(|segment| Arc::clone(&segment.deltas)).collect();
                    Position::Behind { waiting, known: now.clone(), again: false }
                }
            };
            drop(self.unfollow(at));
        }
    }

    fn seal(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        let start = self.logged - self.tail.len() as u64;
        let next = self.spare.pop().unwrap_or_default();
        let deltas = Arc::new(std::mem::replace(&mut self.tail, next));
        self.segments.push_back(Segment { deltas, start, readers: self.followers });
    }

    /// Keeps an empty buffer to be filled again.
    fn keep(&mut self, emptied: Vec<Delta<K>>) {
        if self.spare.len() < SPARE && emptied.is_empty() && emptied.capacity() > 0 {
            self.spare.push(emptied);
        }
    }

    /// Somebody no longer follows from there on.
    fn unfollow(&mut self, at: u64) -> Vec<Delta<K>> {
        self.followers -= 1;
        for segment in self.segments.iter_mut().skip((at - self.first) as usize) {
            segment.readers -= 1;
        }
        let mut freed = Vec::new();
        if self.followers == 0 {
            freed = std::mem::take(&mut self.tail);
        }
        while self.segments.front().is_some_and(|segment| segment.readers == 0) {
            self.first += 1;
            if let Some(segment) = self.segments.pop_front()
                && let Ok(deltas) = Arc::try_unwrap(segment.deltas)
            {
                freed.extend(deltas);
            }
        }
        freed
    }

    /// The next changes for a subscriber. What this frees comes to it as well, so that it is dropped without a lock.
    /// It brings what its last changes were in, if it was the last to have them.
    pub(crate) fn take(
        &mut self,
        member: usize,
        waker: Option<&Waker>,
        emptied: Option<Vec<Delta<K>>>,
    ) -> Taken<K> {
        if let Some(emptied) = emptied {
            self.keep(emptied);
        }
        let Some(member) = self.members.get_mut(member).and_then(Option::as_mut) else {
            return Taken::Closed;
        };
        let at = match &mut member.position {
            Position::Lost => return Taken::Look,
            Position::Behind { waiting, .. } => {
                return waiting.pop_front().map_or(Taken::Look, Taken::Deltas);
            }
            Position::Following(at) => at,
        };
        let next = (*at - self.first) as usize;
        if next == self.segments.len() && self.tail.is_empty() {
            if self.closed {
                return Taken::Closed;
            }
            if let Some(waker) = waker {
                match &mut member.waker {
                    Some(known) => known.clone_from(waker),
                    none => *none = Some(waker.clone()),
                }
            }
            return Taken::Nothing;
        }
        *at += 1;
        self.seal();
        let Some(segment) = self.segments.get_mut(next) else {
            return Taken::Nothing; // never: it was sealed
        };
        segment.readers -= 1;
        // Only the first can have been everybody's last: those before it are gone.
        if next == 0 && segment.readers == 0 {
            self.first += 1;
            if let Some(segment) = self.segments.pop_front() {
                return Taken::Deltas(segment.deltas);
            }
        }
        match self.segments.get(next) {
            Some(segment) => Taken::Deltas(Arc::clone(&segment.deltas)),
            None => Taken::Nothing, // never: only the first is popped
        }
    }

    /// A subscriber has looked, and follows from here on.
    pub(crate) fn follow(&mut self, member: usize) -> Caught<K> {
        self.seal();
        let end = self.first + self.segments.len() as u64;
        let position = self.members.get_mut(member).and_then(Option::as_mut).map(|member| {
            self.followers += 1;
            std::mem::replace(&mut member.position, Position::Following(end))
        });
        match position {
            Some(Position::Behind { known, again, .. }) => Caught { known, again, reset: false },
            Some(Position::Lost) => Caught { known: Base::Nothing, again: false, reset: true },
            Some(Position::Following(at)) => {
                drop(self.unfollow(at));
                Caught { known: Base::Nothing, again: false, reset: true }
            }
            None => Caught { known: Base::Nothing, again: false, reset: false },
        }
    }

    /// A subscriber wants to be told everything again, which it knows as `now` once it has taken what waits for it.
    pub(crate) fn repeat(&mut self, member: usize, now: &Base<K>) {
        self.seal();
        let this = member;
        let Some(member) = self.members.get_mut(member).and_then(Option::as_mut) else { return };
        if let Position::Following(at) = member.position {
            let waiting = self.segments.iter().skip((at - self.first) as usize);
            let waiting = waiting.map(|segment| Arc::clone(&segment.deltas)).collect();
            member.position = Position::Behind { waiting, known: now.clone(), again: false };
            drop(self.unfollow(at));
        }
        if let Some(Some(Member { position: Position::Behind { again, .. }, .. })) =
            self.members.get_mut(this)
        {
            *again = true;
        }
    }

    /// How many changes wait for a subscriber, one by one.
    pub(crate) fn waiting(&self, member: usize) -> usize {
        match self.members.get(member).and_then(Option::as_ref).map(|member| &member.position) {
            Some(Position::Following(at)) => self.waiting_from(*at),
            Some(Position::Behind { waiting, .. }) => waiting.iter().map(|deltas| deltas.len()).sum(),
            Some(Position::Lost) | None => 0,
        }
    }

    fn waiting_from(&self, at: u64) -> usize {
        let start = self.segments.get((at - self.first) as usize).map(|segment| segment.start);
        (self.logged - start.unwrap_or(self.logged - self.tail.len() as u64)) as usize
    }

    /// Whether any subscriber may want the writer to wait.
    pub(crate) const fn may_block(&self) -> bool {
        self.blocking > 0
    }

    /// How many changes it keeps.
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// How much longer the writer, who has waited for some time, has to wait for those who want that; zero if for some
    /// of them the time is up. Those are left behind, knowing `now`, once that is said.
    pub(crate) fn pressure(&mut self, waited: Duration, now: Option<&Base<K>>) -> Option<Duration> {
        let full = |log: &Self, member: &Member<K>| match (member.lag, &member.position) {
            (Lag::Block(limit), Position::Following(at)) if log.waiting_from(*at) * 2 > log.capacity => {
                Some(limit.saturating_sub(waited))
            }
            _ => None,
        };
        let waits: Vec<_> =
            self.members.iter().map(|member| member.as_ref().and_then(|member| full(self, member))).collect();
        if waits.contains(&Some(Duration::ZERO)) {
            let Some(now) = now else { return Some(Duration::ZERO) };
            self.seal();
            self.leave_behind(|index, _| waits.get(index) == Some(&Some(Duration::ZERO)), now);
        }
        waits.into_iter().flatten().filter(|wait| !wait.is_zero()).max()
    }

    /// Nothing is written any more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.news = true;
    }

    /// Those who are to be woken, in the order in which they subscribed, now that changes were logged.
    pub(crate) fn wake(&mut self, wakers: &mut Vec<Waker>) {
        if std::mem::take(&mut self.news) {
            wakers.extend(self.members.iter_mut().flatten().filter_map(|member| member.waker.take()));
        }
    }
}

impl<K> Clone for Base<K> {
    fn clone(&self) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::All(view) => Self::All(view.clone()),
            Self::Some(objects) => Self::Some(objects.clone()),
        }
    }
}
