//! Changing limits and restart policy where a container is, and reading back what became of it: the engine answers well
//! and ignores what it can't do.

use super::{
    super::stage::{Stage, StepError, found},
    Attempt, container,
};
use crate::model::{
    container::{ContainerSpec, Limits, RestartPolicy},
    event::{EventKind, Severity},
    fields::{FieldChange, fields},
    step::Update,
    value::Value,
};

/// Changes a container in place. A field that reads back otherwise goes on record, and the step succeeds: trying it again
/// would change nothing.
pub(super) async fn update(stage: &Stage<'_>, update: &Update, attempt: Attempt) -> Result<(), StepError> {
    let Some(id) = container::target(stage, &update.container, attempt).await? else { return Ok(()) };
    let engine = &stage.effects.engine;
    let result = engine.update_container(&id, &update.limits, update.restart).await;
    container::done(stage, &update.container, result)?;
    let there = found(engine.inspect_container(id.as_str()).await)?.ok_or_else(|| stage.gone(&update.container))?;
    let refused = did_not_take(&update.limits, update.restart, &there.spec);
    if refused.is_empty() {
        return Ok(());
    }
    if let Err(error) = stage.effects.journal.did_not_take(&id, &refused) {
        let text = format!("not on record: {error}");
        stage.tell(EventKind::Warning, Severity::Warning, Some(attempt.item), text).await;
    }
    for field in &refused {
        let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        let (path, sent, read) = (&field.path, shown(&field.to), shown(&field.from));
        let text = format!("{}: {path} did not take: {sent} was sent, {read} was read back", there.name);
        stage.tell(EventKind::Warning, Severity::Warning, Some(attempt.item), text).await;
    }
    Ok(())
}

/// The fields that were sent and read otherwise: `from` what is read, `to` what was sent.
fn did_not_take(limits: &Limits, restart: Option<RestartPolicy>, read: &ContainerSpec) -> Vec<FieldChange> {
    let now = fields(&read.limits);
    let mut refused = Vec::new();
    for (field, sent) in fields(limits) {
        let is = now.get(&field);
        if !same(&field, sent.reveal(), is.map(Value::reveal), limits) {
            refused.push(FieldChange { path: format!("limits.{field}"), from: is.cloned(), to: Some(sent) });
        }
    }
    if let Some(sent) = restart.filter(|sent| *sent != read.restart) {
        refused.push(FieldChange {
            path: "restart".into(),
            from: Some(Value::plain(read.restart.to_string())),
            to: Some(Value::plain(sent.to_string())),
        });
    }
    refused
}

/// Whether what is read means what was sent: nothing, zero and, for processes, less than zero are all no limit; swap that
/// is not said is twice the memory.
fn same(field: &str, sent: &str, read: Option<&str>, limits: &Limits) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    match field {
        _ if read == Some(sent) => true,
        "pids" => number(sent).unwrap_or(0) <= 0 && read.and_then(number).unwrap_or(0) <= 0,
        "memorySwap" => {
            let twice = limits.memory.and_then(|memory| i64::try_from(memory.0.saturating_mul(2)).ok());
            read.is_none() && number(sent) == twice
        }
        _ => number(sent) == Some(0) && read.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::units::{Bytes, NanoCpus};

    fn read(limits: Limits) -> ContainerSpec {
        ContainerSpec { limits, ..ContainerSpec::default() }
    }

    #[test]
    fn what_reads_back_as_sent_took() {
        let sent = Limits {
            memory: Some(Bytes::mebi(64)),
            memory_swap: Some(128 << 20),
            pids: Some(-1),
            cpus: Some(NanoCpus(500_000_000)),
            ..Limits::default()
        };
        assert_eq!(did_not_take(&sent, None, &read(sent.clone())), []);
        let normal = Limits { memory_swap: None, pids: None, ..sent.clone() };
        assert_eq!(did_not_take(&sent, Some(RestartPolicy::No), &read(normal)), []);
    }

    #[test]
    fn what_reads_back_otherwise_is_named_with_both_values() {
        let sent = Limits { memory: Some(Bytes::mebi(64)), pids: Some(10), ..Limits::default() };
        let is = read(Limits { memory: Some(Bytes::mebi(32)), ..Limits::default() });
        let refused = did_not_take(&sent, Some(RestartPolicy::Always), &is);
        let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
        let lines: Vec<String> =
            refused.iter().map(|field| format!("{} {} {}", field.path, shown(&field.from), shown(&field.to))).collect();
        assert_eq!(lines, ["limits.memory 32Mi 64Mi", "limits.pids - 10", "restart no always"]);
    }
}
