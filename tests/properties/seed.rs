//! Random choices from a seed: the same seed gives the same case, on every machine.

/// SplitMix64.
pub struct Seed(u64);

impl Seed {
    /// Neighbouring seeds begin far from each other: their draws have nothing in common.
    pub fn new(seed: u64) -> Seed {
        Seed(mixed(seed.wrapping_add(0x1234_5678)))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }

    /// True in so many of a hundred.
    pub fn percent(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[test]
fn neighbouring_seeds_draw_nothing_in_common() {
    let draws = |number: u64| (0..64).scan(Seed::new(number), |seed, _| Some(seed.next()));
    let first: std::collections::BTreeSet<u64> = draws(1).collect();
    assert!(draws(2).all(|draw| !first.contains(&draw)));
}

/// How many stories all properties together tell in an ordinary run.
const STORIES: u64 = 1_000;

/// The seeds of a property's cases, from `first` on: as many as it wants, or as the environment says.
pub fn seeds(first: u64, cases: u64) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("EVENKEEL_SEED") {
        return vec![seed];
    }
    let share = number("EVENKEEL_STORIES").map(|all| (all * cases).div_ceil(STORIES));
    (first..first + share.unwrap_or(cases)).collect()
}
