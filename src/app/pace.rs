//! How many rows the sweeper takes at once: as many as can be deleted while others wait, and then a pause.

use std::time::Duration;

/// What a batch should take from its beginning to its commit. Far below the 50 ms that it must not exceed: a disk is not
/// always as quick as the last time.
const AIM: Duration = Duration::from_millis(12);
/// Rows of the first batch, when nobody knows yet what a row costs.
const FIRST: u32 = 20;
/// A commit costs what it costs, however few rows it is for: with fewer than these nothing would ever get done.
const FEWEST: u32 = 5;
/// A pause is so many times as long as the batch before it: others have the rest of the time.
const PAUSES: u32 = 9;

/// Rows for the next batch, by what the last ones took.
#[derive(Debug)]
pub(super) struct Pace {
    rows: u32,
    most: u32,
}

impl Pace {
    pub(super) fn new(most: u32) -> Self {
        Self { rows: FIRST.min(most), most }
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// A batch of `rows` took `held`. At most twice as many come next, and at the worst a quarter.
    pub(super) fn learn(&mut self, rows: usize, held: Duration) {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        let fitting = u128::from(rows) * AIM.as_micros() / held.as_micros().max(1);
        let fitting = u32::try_from(fitting).unwrap_or(u32::MAX);
        let next = fitting.clamp(self.rows / 4, self.rows.saturating_mul(2));
        self.rows = next.clamp(FEWEST.min(self.most), self.most);
    }

    pub(super) fn pause(held: Duration) -> Duration {
        held * PAUSES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches on a disk whose commit takes `commit` and whose rows take `row` each.
    fn on_a_disk(pace: &mut Pace, commit: Duration, row: Duration) -> Vec<(u32, Duration)> {
        (0..40)
            .map(|_| {
                let (rows, held) = (pace.rows(), commit + row * pace.rows());
                pace.learn(rows as usize, held);
                (rows, held)
            })
            .collect()
    }

    #[test]
    fn a_quick_disk_is_given_more_until_a_batch_takes_its_time() {
        let mut pace = Pace::new(10_000);
        let batches = on_a_disk(&mut pace, Duration::from_micros(300), Duration::from_micros(20));
        assert_eq!(batches[0].0, FIRST);
        assert!(batches.windows(2).all(|two| two[1].0 <= two[0].0 * 2), "{batches:?}");
        let (rows, held) = batches[39];
        assert!((500..=600).contains(&rows) && held <= AIM * 2, "{rows} rows took {held:?}");
    }

    #[test]
    fn a_slow_disk_holds_nobody_for_50_ms_even_at_first() {
        let mut pace = Pace::new(10_000);
        let batches = on_a_disk(&mut pace, Duration::from_millis(5), Duration::from_millis(1));
        assert!(batches.iter().all(|(_, held)| *held < Duration::from_millis(50)), "{batches:?}");
        assert!(batches[39].0 < FIRST, "{batches:?}");
    }

    #[test]
    fn a_disk_that_becomes_slow_is_given_less_at_once_and_more_when_it_has_recovered() {
        let mut pace = Pace::new(10_000);
        on_a_disk(&mut pace, Duration::ZERO, Duration::from_micros(20));
        let before = pace.rows();
        pace.learn(before as usize, Duration::from_secs(2));
        assert_eq!(pace.rows(), before / 4);
        let after = on_a_disk(&mut pace, Duration::ZERO, Duration::from_micros(20));
        assert_eq!(after[10].0, before);
    }

    #[test]
    fn a_batch_never_grows_beyond_what_the_operator_allows_nor_shrinks_to_nothing() {
        for most in [1, 3, 50] {
            let mut pace = Pace::new(most);
            let quick = on_a_disk(&mut pace, Duration::ZERO, Duration::ZERO);
            assert_eq!((quick[0].0, quick[39].0), (FIRST.min(most), most));
            let slow = on_a_disk(&mut pace, Duration::from_secs(1), Duration::ZERO);
            assert_eq!(slow[39].0, FEWEST.min(most));
        }
    }

    #[test]
    fn nobody_else_is_kept_waiting_for_more_than_a_tenth_of_the_time() {
        let held = Duration::from_millis(12);
        assert_eq!(Pace::pause(held) + held, held * 10);
    }
}
