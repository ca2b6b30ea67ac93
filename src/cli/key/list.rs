//! Keys as they are shown, with what the plan will do with them.

use serde_json::{Value, json};

use super::super::output::{Output, note};
use crate::base::Timestamp;
use crate::domain::key_plan::Schedule;
use crate::domain::{KeyRules, KeyState, SigningKeyRecord};
use crate::flow::keys::Replaced;

/// What is to come for one key.
#[derive(Default)]
struct Planned {
    /// The end of the state that it is in.
    until: Option<Timestamp>,
    /// When the key that follows it is published, where none is yet.
    successor_at: Option<Timestamp>,
}

impl Planned {
    fn of(record: &SigningKeyRecord, all: &[SigningKeyRecord], rules: &KeyRules, now: Timestamp) -> Self {
        if let KeyState::Retired { remove_at, .. } = record.state {
            let hints_until = rules.hints_until(record.state).filter(|_| record.is_withdrawn(now));
            return Self { until: Some(hints_until.unwrap_or(remove_at)), successor_at: None };
        }
        let Some(plan) = rules.plan(record.algorithm).filter(|_| rules.rotate) else {
            return Self::default();
        };
        let schedule = Schedule::of(all, plan, rules, now);
        let until = Some(schedule.activate_at);
        if schedule.active == Some(record) {
            Self { until, successor_at: schedule.publish_at }
        } else if schedule.next == Some(record) {
            Self { until, successor_at: None }
        } else {
            Self::default()
        }
    }
}

pub(super) fn all(output: &Output, records: &[SigningKeyRecord], rules: &KeyRules, now: Timestamp) {
    let planned: Vec<Planned> =
        records.iter().map(|record| Planned::of(record, records, rules, now)).collect();
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let row = |(record, planned): (&SigningKeyRecord, &Planned)| {
        let state = if record.is_withdrawn(now) { "hints only" } else { record.state.name() }.to_owned();
        let algorithm = record.algorithm.to_string();
        let since = since(record).to_string();
        vec![record.kid.clone(), algorithm, state, since, text(planned.until), text(planned.successor_at)]
    };
    let rows: Vec<Vec<String>> = records.iter().zip(&planned).map(row).collect();
    let json: Vec<Value> = records
        .iter()
        .zip(&planned)
        .map(|(record, planned)| {
            let mut value = as_json(record, rules);
            value["until"] = json!(planned.until);
            value["successor_at"] = json!(planned.successor_at);
            value
        })
        .collect();
    output.table(&["kid", "algorithm", "state", "since", "until", "successor"], &rows, &json!(json));
}

fn since(record: &SigningKeyRecord) -> Timestamp {
    match record.state {
        KeyState::Published { published_at } => published_at,
        KeyState::Active { activated_at, .. } => activated_at,
        KeyState::Retired { retired_at, .. } => retired_at,
        KeyState::Compromised { compromised_at, .. } => compromised_at,
    }
}

pub(super) fn lines(record: &SigningKeyRecord) -> Vec<String> {
    let mut lines = vec![
        format!("kid               {}", record.kid),
        format!("algorithm         {}", record.algorithm),
        format!("state             {} since {}", record.state.name(), since(record)),
    ];
    if let KeyState::Retired { remove_at, .. } = record.state {
        lines.push(format!("published until   {remove_at}"));
    }
    lines
}

pub(super) fn as_json(record: &SigningKeyRecord, rules: &KeyRules) -> Value {
    let columns = record.state.to_columns();
    json!({
        "kid": record.kid,
        "algorithm": record.algorithm,
        "state": record.state.name(),
        "created_at": record.created_at,
        "published_at": columns.published_at,
        "activated_at": columns.activated_at,
        "retired_at": columns.retired_at,
        "remove_at": columns.remove_at,
        "hints_until": rules.hints_until(record.state),
        "compromised_at": columns.compromised_at,
        "longest_token_s": record.longest_token,
    })
}

/// What is to be known after a key was given up.
pub(super) fn replaced(output: &Output, done: &Replaced, rules: &KeyRules) {
    let mut told = lines(&done.compromised);
    told.extend(done.successor.as_ref().map(|key| format!("signs instead     {}", key.kid)));
    let json = json!({
        "compromised": as_json(&done.compromised, rules),
        "successor": done.successor.as_ref().map(|key| as_json(key, rules)),
    });
    output.say(&told, &json);
    let cached = rules.jwks_max_age.0;
    note(format!(
        "This server believes it no more. A verifier that keeps to a cached key set may, for up to {cached} s: let \
         resource servers fetch the set now."
    ));
    if done.successor_is_new {
        note(
            "Not every verifier knows the new key yet; who does not refuses its tokens until the set is fetched.",
        );
    }
}
