use std::fmt;
use std::ops::RangeBounds;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The letters and digits of Kubernetes' generated names: no vowels, no 0, 1 and 3, so that no
/// word comes about by chance (apimachinery, `util/rand`).
const SAFE: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Odd, and its multiples visit every 64-bit state once: 2⁶⁴ divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A reproducible stream of random numbers.
///
/// Cheap (one atomic addition for each draw) and shareable: clones draw from the *same* stream.
/// Where several tasks draw from one stream, who gets which number depends on their order; give
/// each part of a program a stream of its own by [`fork`](Random::fork).
///
/// Not for secrets.
#[derive(Clone)]
pub struct Random {
    seed: u64,
    state: Arc<AtomicU64>,
}

impl Random {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, state: Arc::new(AtomicU64::new(seed)) }
    }

    /// A stream with a seed taken from the environment, different at each call. For the edge of a
    /// program only: what depends on it cannot be replayed.
    pub fn from_entropy() -> Self {
        Self::new(fastrand::Rng::new().u64(..))
    }

    /// The seed that makes this stream again.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A stream that depends on this one's seed and on the label alone, not on what was drawn
    /// before: forking twice with one label gives the same numbers twice, and a part of a program
    /// that draws more or less than before does not disturb the others.
    pub fn fork(&self, label: &str) -> Self {
        // FNV-1a over the label, then one round of the generator to spread neighbouring seeds.
        let hash = label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mixed = fastrand::Rng::with_seed(self.seed ^ hash.rotate_left(32)).u64(..);
        Self::new(mixed ^ hash)
    }

    /// A generator for one draw. Its seed walks through all 64-bit states, and the generator's
    /// output function makes of each state a number.
    fn draw(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.state.fetch_add(STEP, Ordering::Relaxed))
    }

    /// A number of 64 random bits.
    pub fn u64(&self) -> u64 {
        self.draw().u64(..)
    }

    /// A number out of the range, each equally likely; the range's lower end if the range is empty.
    pub fn range(&self, range: impl RangeBounds<u64>) -> u64 {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let low = match range.start_bound() {
            Included(&low) => low,
            Excluded(&low) => low.saturating_add(1),
            Unbounded => 0,
        };
        let high = match range.end_bound() {
            Included(&high) => high,
            Excluded(&0) => return low,
            Excluded(&high) => high - 1,
            Unbounded => u64::MAX,
        };
        if high < low { low } else { self.draw().u64(low..=high) }
    }

    /// An index below `len`, or 0 if `len` is 0.
    pub fn index(&self, len: usize) -> usize {
        if len == 0 { 0 } else { self.draw().usize(..len) }
    }

    /// A number in [0, 1).
    pub fn f64(&self) -> f64 {
        self.draw().f64()
    }

    /// True with this probability; never for 0 and below, always for 1 and above.
    pub fn chance(&self, probability: f64) -> bool {
        self.f64() < probability
    }

    /// One of the items, or `None` if there are none.
    pub fn pick<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.index(items.len()))
    }

    /// Puts the items in a random order, each order equally likely.
    pub fn shuffle<T>(&self, items: &mut [T]) {
        self.draw().shuffle(items);
    }

    /// Five characters as Kubernetes appends them to `generateName`.
    pub fn name_suffix(&self) -> String {
        self.name_suffix_of(5)
    }

    /// As many characters of the alphabet of generated names as asked for.
    pub fn name_suffix_of(&self, len: usize) -> String {
        let mut draw = self.draw();
        (0..len).map(|_| char::from(SAFE[draw.usize(..SAFE.len())])).collect()
    }

    /// A random UUID as text (RFC 9562, version 4; the former RFC 4122), such as
    /// `9f0c3c2e-58a6-4f0b-9d0e-2f0a3f1f7b11`.
    pub fn uid(&self) -> String {
        let mut draw = self.draw();
        let mut bits = draw.u128(..);
        bits = bits & !(0xf << 76) | (0x4 << 76);
        bits = bits & !(0x3 << 62) | (0x2 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (bits >> 96) as u32,
            (bits >> 80) as u16,
            (bits >> 64) as u16,
            (bits >> 48) as u16,
            bits & 0xffff_ffff_ffff,
        )
    }

    /// The duration, prolonged by a random part of at most `factor` of it: a number in
    /// `[duration, duration · (1 + factor))`, as Kubernetes' `wait.Jitter`, but without its rule
    /// that a factor of 0 means 1. A factor that is negative or no number counts as 0; saturates.
    pub fn jitter(&self, duration: Duration, factor: f64) -> Duration {
        let factor = if factor > 0.0 { factor } else { 0.0 };
        let more = Duration::try_from_secs_f64(duration.as_secs_f64() * factor * self.f64())
            .unwrap_or(Duration::MAX);
        duration.saturating_add(more)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Random").field("seed", &self.seed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_gives_one_stream() {
        let draw = |random: Random| (0..100).map(|_| random.u64()).collect::<Vec<_>>();
        assert_eq!(draw(Random::new(1)), draw(Random::new(1)));
        assert_ne!(draw(Random::new(1)), draw(Random::new(2)));
        assert_eq!(draw(Random::new(1)).iter().collect::<BTreeSet<_>>().len(), 100);
    }

    #[test]
    fn a_fork_depends_on_seed_and_label_alone() {
        let root = Random::new(9);
        let before = root.fork("a").u64();
        root.u64();
        assert_eq!(root.fork("a").u64(), before);
        assert_ne!(root.fork("b").u64(), before);
        assert_ne!(Random::new(10).fork("a").u64(), before);
        assert_ne!(root.fork("").u64(), Random::new(9).u64());
    }

    #[test]
    fn clones_share_a_stream() {
        let one = Random::new(3);
        let two = one.clone();
        let expected: Vec<_> = {
            let fresh = Random::new(3);
            (0..2).map(|_| fresh.u64()).collect()
        };
        assert_eq!([one.u64(), two.u64()], expected[..]);
    }

    #[test]
    fn bits_and_ranges_are_even() {
        let random = Random::new(4);
        let mut ones = [0_u32; 64];
        let mut faces = [0_u32; 6];
        for _ in 0..6000 {
            let number = random.u64();
            for (bit, count) in ones.iter_mut().enumerate() {
                *count += (number >> bit & 1) as u32;
            }
            faces[random.range(0..6) as usize] += 1;
        }
        // Six standard deviations: 6 · √(6000/4) and 6 · √(6000 · 5/36).
        assert!(ones.iter().all(|count| count.abs_diff(3000) < 233), "{ones:?}");
        assert!(faces.iter().all(|count| count.abs_diff(1000) < 174), "{faces:?}");
    }

    #[test]
    fn ranges_at_their_ends() {
        let random = Random::new(5);
        assert_eq!(random.range(7..8), 7);
        assert_eq!(random.range(7..=7), 7);
        assert_eq!(random.range(7..7), 7);
        assert_eq!(random.range(..0), 0);
        assert_eq!(random.range(u64::MAX..), u64::MAX);
        assert_eq!(random.index(0), 0);
        assert_eq!(random.pick::<u8>(&[]), None);
        assert!(!random.chance(0.0) && random.chance(1.0));
    }

    #[test]
    fn shuffles_keep_the_items() {
        let random = Random::new(6);
        let mut items: Vec<u32> = (0..50).collect();
        random.shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn names_and_uids_have_their_form() {
        let random = Random::new(7);
        let suffixes: BTreeSet<_> = (0..500).map(|_| random.name_suffix()).collect();
        assert!(suffixes.len() > 495);
        assert!(
            suffixes
                .iter()
                .all(|suffix| suffix.len() == 5 && suffix.bytes().all(|byte| SAFE.contains(&byte)))
        );
        for _ in 0..500 {
            let uid = random.uid();
            let parts: Vec<_> = uid.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{uid}");
            assert_eq!(&uid[14..15], "4", "{uid}");
            assert!("89ab".contains(&uid[19..20]), "{uid}");
            assert!(
                uid.bytes()
                    .all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            );
        }
    }

    #[test]
    fn jitter_stays_in_its_bounds() {
        let random = Random::new(8);
        let base = Duration::from_secs(10);
        for _ in 0..1000 {
            let jittered = random.jitter(base, 0.2);
            assert!(jittered >= base && jittered < Duration::from_secs(12), "{jittered:?}");
        }
        assert_eq!(random.jitter(base, 0.0), base);
        assert_eq!(random.jitter(base, -1.0), base);
        assert_eq!(random.jitter(base, f64::NAN), base);
        assert!(random.jitter(Duration::MAX, 1.0) >= Duration::from_secs(u64::MAX));
    }
}
