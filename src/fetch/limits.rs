//! How much this server sends at once and within a minute, to one host and in all: a client that anybody may register must
//! not make a hose of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::Timestamp;

/// The most requests that are under way.
const MAX_RUNNING: usize = 32;
/// The most of them to one host.
const MAX_RUNNING_PER_HOST: usize = 4;
/// All hosts together may be asked so many times as often as one.
const ALL_HOSTS: u32 = 20;

pub(super) struct Limits {
    per_host_per_minute: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    minute: i64,
    running: usize,
    started: u32,
    /// No longer than what may be started within a minute, and what is under way.
    hosts: HashMap<String, Host>,
}

#[derive(Default)]
struct Host {
    running: usize,
    started: u32,
}

/// A request that is under way, until it is dropped.
pub(super) struct Ticket<'a> {
    limits: &'a Limits,
    host: String,
}

impl Limits {
    pub(super) fn new(per_host_per_minute: u32) -> Self {
        Self { per_host_per_minute, state: Mutex::default() }
    }

    /// Nothing when it would be too much.
    pub(super) fn enter(&self, host: &str, now: Timestamp) -> Option<Ticket<'_>> {
        let mut state = self.state();
        let minute = now.0.div_euclid(60);
        if minute != state.minute {
            state.minute = minute;
            state.started = 0;
            state.hosts.retain(|_, host| host.running > 0);
            state.hosts.values_mut().for_each(|host| host.started = 0);
        }
        if state.running >= MAX_RUNNING || state.started >= self.per_host_per_minute.saturating_mul(ALL_HOSTS)
        {
            return None;
        }
        let of_host = state.hosts.entry(host.to_owned()).or_default();
        if of_host.running >= MAX_RUNNING_PER_HOST || of_host.started >= self.per_host_per_minute {
            return None;
        }
        of_host.running += 1;
        of_host.started += 1;
        state.running += 1;
        state.started += 1;
        Some(Ticket { limits: self, host: host.to_owned() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.limits.state();
        state.running = state.running.saturating_sub(1);
        if let Some(host) = state.hosts.get_mut(&self.host) {
            host.running = host.running.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_gets_four_at_once_and_others_go_on() {
        let limits = Limits::new(100);
        let now = Timestamp(60);
        let held: Vec<_> = (0..4).map(|_| limits.enter("a.example", now).unwrap()).collect();
        assert!(limits.enter("a.example", now).is_none());
        assert!(limits.enter("b.example", now).is_some());
        drop(held);
        assert!(limits.enter("a.example", now).is_some());
    }

    #[test]
    fn so_many_are_under_way_and_no_more() {
        let limits = Limits::new(100);
        let held: Vec<_> =
            (0..MAX_RUNNING).map(|n| limits.enter(&format!("{n}.example"), Timestamp(0)).unwrap()).collect();
        assert!(limits.enter("other.example", Timestamp(0)).is_none());
        drop(held);
        assert!(limits.enter("other.example", Timestamp(0)).is_some());
    }

    #[test]
    fn a_minute_has_its_share_for_a_host_and_for_all() {
        let limits = Limits::new(3);
        for _ in 0..3 {
            assert!(limits.enter("a.example", Timestamp(59)).is_some());
        }
        assert!(limits.enter("a.example", Timestamp(59)).is_none());
        assert!(limits.enter("a.example", Timestamp(60)).is_some());
        for n in 0..59 {
            assert!(limits.enter(&format!("{n}.example"), Timestamp(61)).is_some(), "{n}");
        }
        assert!(limits.enter("one-more.example", Timestamp(61)).is_none());
        assert!(limits.enter("one-more.example", Timestamp(120)).is_some());
        assert_eq!(limits.state().hosts.len(), 1, "what is over is forgotten");
    }
}
