//! The changes of a plan: a line a resource with its marker, action and reason, and its fields below it.

use crate::cli::render::{
    quantities::{image, image_id},
    sheet::Sheet,
    style::{Text, Tone},
};
use crate::model::{
    container::HostPort,
    fields::FieldChange,
    names::{ImageId, ImageReference},
    plan::{Action, Change, Plan},
    policy::Strategy,
    step::Cause,
    value::Value,
};

/// Maps whose keys the user chose: their fields stand under the map's name.
const GROUPS: &[&str] = &["annotations", "environment", "labels", "mounts", "networks", "ports", "sysctls", "ulimits"];

/// A field longer than this, old and new together, stands on two lines.
const FIELD_WIDTH_MAX: usize = 100;

/// Writes every change, in the plan's order.
pub fn write(plan: &Plan, sheet: &mut Sheet) {
    for change in &plan.changes {
        let (marker, tone) = marker(change.action);
        sheet.row(
            Text::toned(tone, marker).space(1).and(Tone::Strong, change.resource.to_string()),
            action_in_words(change),
            Text::toned(Tone::Quiet, reason_in_words(change)),
        );
        fields(plan, change, sheet);
    }
}

/// `+` appears, `~` changes, `-` goes, `=` is taken over as it is.
pub fn marker(action: Action) -> (&'static str, Tone) {
    match action {
        Action::Create => ("+", Tone::Good),
        Action::Update | Action::Replace => ("~", Tone::Change),
        Action::Remove => ("-", Tone::Bad),
        Action::Adopt => ("=", Tone::Note),
    }
}

/// What is done, and what a user of the service notices of it.
pub fn action_in_words(change: &Change) -> String {
    let effect = change.strategy.map(|strategy| match strategy {
        Strategy::StartFirst => format!("{strategy}: no downtime"),
        Strategy::StopFirst => format!("{strategy}: a short downtime"),
        Strategy::Recreate => format!("{strategy}: all replicas at once"),
    });
    match (change.action, effect) {
        (Action::Create, _) => "create".to_owned(),
        (Action::Update, _) => "update in place".to_owned(),
        (Action::Replace, Some(effect)) => format!("replace, {effect}"),
        (Action::Replace, None) => "replace".to_owned(),
        (Action::Remove, _) => "remove".to_owned(),
        (Action::Adopt, _) => "adopt untouched".to_owned(),
    }
}

/// Why, and from where it came when that is not the manifest.
pub fn reason_in_words(change: &Change) -> String {
    match change.cause {
        Cause::Drift | Cause::Rollback | Cause::Recovery => format!("{} ({})", change.reason, change.cause),
        Cause::Manifest | Cause::Restart | Cause::Liveness | Cause::Suspension | Cause::Down | Cause::Unknown => {
            change.reason.to_string()
        }
    }
}

/// One field's old and new value, as they may be shown.
pub fn field_in_words(plan: &Plan, field: &FieldChange) -> (Option<String>, Option<String>) {
    let both_secret = [&field.from, &field.to].into_iter().flatten().filter(|value| value.is_sensitive()).count() == 2;
    let show = |value: &Option<Value>, when: &str| {
        value.as_ref().map(|value| match value {
            Value::Plain(text) => plain(plan, &field.path, text),
            // Two masks alike would read as no change at all.
            _ if both_secret => format!("*** ({when})"),
            _ => "***".to_owned(),
        })
    };
    (show(&field.from, "before"), show(&field.to, "after"))
}

fn plain(plan: &Plan, path: &str, text: &str) -> String {
    if let Some(words) = list_in_words(path, text) {
        return words;
    }
    let reference = ImageReference::new(text);
    if path != "image" && !path.starts_with("image.") {
        return text.to_owned();
    }
    match plan.context.images.get(&reference) {
        Some(resolved) if !resolved.id.as_str().is_empty() => {
            format!("{} ({})", image(&reference), image_id(&resolved.id))
        }
        _ if text.starts_with("sha256:") => image_id(&ImageId::new(text)),
        _ => image(&reference),
    }
}

/// `127.0.0.1:8090, 9090` and `web, www`: lists that a person does not write as JSON.
fn list_in_words(path: &str, text: &str) -> Option<String> {
    let port = |host: &HostPort| match (host.address.as_str(), host.port.as_str()) {
        ("", "") => "any port".to_owned(),
        (address, "") => format!("{address}, any port"),
        ("", port) => port.to_owned(),
        (address, port) if address.contains(':') => format!("[{address}]:{port}"),
        (address, port) => format!("{address}:{port}"),
    };
    let words: Vec<String> = match path.split_once('.')? {
        ("ports", _) => serde_json::from_str::<Vec<HostPort>>(text).ok()?.iter().map(port).collect(),
        ("networks", name) if name.ends_with(".aliases") => serde_json::from_str(text).ok()?,
        _ => return None,
    };
    (!words.is_empty()).then(|| words.join(", "))
}

/// Whether it goes with its network, and the engine had chosen it.
fn goes_along(field: &FieldChange, change: &Change) -> bool {
    let Some(network) = field.path.strip_suffix(".mac").filter(|_| field.to.is_none()) else { return false };
    let aliases = format!("{network}.aliases");
    change.fields.iter().any(|other| other.path == aliases && other.to.is_none())
}

fn fields(plan: &Plan, change: &Change, sheet: &mut Sheet) {
    let mut group = None;
    for field in change.fields.iter().filter(|field| !goes_along(field, change)) {
        let (this, name) = grouped(&field.path);
        if this.is_some() && this != group {
            sheet.row(Text::new().space(4).plain(this.unwrap_or_default()), "", "");
        }
        group = this;
        let indent = if this.is_some() { 6 } else { 4 };
        let label = Text::new().space(indent).plain(name);
        match field_in_words(plan, field) {
            // Of what is new nothing was there before.
            (None, Some(to)) if change.action == Action::Create => sheet.row(label, Text::toned(Tone::Good, to), ""),
            values => write_field(label, values, sheet),
        }
    }
}

fn grouped(path: &str) -> (Option<&str>, &str) {
    match path.split_once('.') {
        Some((group, name)) if GROUPS.contains(&group) => (Some(group), name),
        _ => (None, path),
    }
}

fn write_field(label: Text, (from, to): (Option<String>, Option<String>), sheet: &mut Sheet) {
    let unset = || Text::toned(Tone::Quiet, "(unset)");
    let old = from.as_ref().map_or_else(unset, |text| Text::toned(Tone::Bad, text));
    let new = to.as_ref().map_or_else(unset, |text| Text::toned(Tone::Good, text));
    if old.width() + new.width() <= FIELD_WIDTH_MAX {
        sheet.row(label, old.plain(" → ").append(new), "");
    } else {
        sheet.row(label, Text::toned(Tone::Bad, "- ").append(old), "");
        sheet.row("", Text::toned(Tone::Good, "+ ").append(new), "");
    }
}
